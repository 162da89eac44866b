//! Bytes of a client of the daemon.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| clankers_fuzz::frames::run(input));
