# weir's front door. Each target installs what it needs first (tools/setup), so all of them work on a
# fresh Debian 12 with make, as root or with sudo.

.PHONY: all demo test test-long lint bench fuzz format clean

all:
	@tools/setup
	@tools/build release weir

demo: all
	@examples/shop/demo

test:
	@tools/setup test
	@tools/run-tests

test-long:
	@tools/setup test
	@tools/run-tests --long

fuzz:
	@tools/setup test
	@tools/run-tests --long --suite fuzz

lint:
	@tools/setup test
	@tools/lint

bench:
	@tools/setup test
	@bench/run

format:
	@tools/setup test
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-asan build-fuzz
