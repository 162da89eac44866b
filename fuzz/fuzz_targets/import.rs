//! Exports and databases of OpenCode's, imported once and twice.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|input: &[u8]| clankers_fuzz::import::run(input));

fuzz_mutator!(|input: &mut [u8], size: usize, most: usize, seed: u32| {
    clankers_fuzz::mutation::mutate(input, size, most, seed)
});
