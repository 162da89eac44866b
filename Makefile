# Every target is a small script in scripts/, which says what it does and
# installs what is missing into ~/.cache/clankers.
.DEFAULT_GOAL := help
.PHONY: help setup wasm build cli install demo test lint fmt fuzz matrix long clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install what is missing: the wasm target and the pinned tools
	@scripts/setup.sh

wasm: ## compile the core to WebAssembly (pkg/)
	@scripts/build-wasm.sh

build: ## build the installable OpenCode plugin (plugin-shim/dist/)
	@scripts/build.sh

cli: build ## build the `clankers` program, with the plugin inside (target/release/clankers)
	@scripts/build-cli.sh --release

install: cli ## put the program into ~/.local/bin, or into bin/ of PREFIX
	@PREFIX="$(PREFIX)" scripts/install.sh

demo: ## see it work: a few turns in real OpenCodes, and the rows they leave
	@scripts/demo.sh

test: ## everything that must hold: lints, unit tests, tests in real OpenCode
	@scripts/test.sh

lint: ## formatting, clippy, Biome, tsc and the checks of the tree
	@scripts/lint.sh

fmt: ## format Rust and TypeScript
	@scripts/fmt.sh

fuzz: ## inputs made of recordings, 10 s for each fuzz target, or SECONDS=300
	@scripts/fuzz.sh "$(or $(SECONDS),10)"

matrix: ## the long end-to-end scenario on every OpenCode release
	@scripts/matrix.sh

long: ## runs too long for every change: random histories, fuzzing, all scenarios and days of OpenCode 2
	@scripts/long.sh

clean: ## remove what was built (the tools in the cache stay)
	@scripts/clean.sh
