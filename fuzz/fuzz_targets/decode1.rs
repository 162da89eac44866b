//! JSON documents, read as events and as answers of OpenCode 1.
#![no_main]

use clankers::sources::Dialect;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|input: &[u8]| clankers_fuzz::decode::run(Dialect::OPENCODE1, input));

fuzz_mutator!(|input: &mut [u8], size: usize, most: usize, seed: u32| {
    clankers_fuzz::mutation::mutate(input, size, most, seed)
});
