# Everything from a fresh clone. `make run` and `make test` are the two commands of the README.
PREFIX ?= /usr/local
SWIFT_BUILD = swift build -c release

.PHONY: run test build lint format install bench tsan clean prerequisites

run: build
	@exec .build/release/nilod run --config packaging/demo.toml --state-dir .demo --socket .demo/nilod.sock

test: prerequisites
	$(SWIFT_BUILD) --product nilod
	$(SWIFT_BUILD) --product niloctl
	swift test -c release

build: prerequisites
	$(SWIFT_BUILD) --product nilod
	$(SWIFT_BUILD) --product niloctl

lint:
	swift format lint --strict --recursive Sources Plugins Tests Package.swift

format:
	swift format --in-place --recursive Sources Plugins Tests Package.swift

install: build
	install -D -m 0755 .build/release/nilod $(DESTDIR)$(PREFIX)/bin/nilod
	install -D -m 0755 .build/release/niloctl $(DESTDIR)$(PREFIX)/bin/niloctl
	install -D -m 0644 packaging/nilod.toml $(DESTDIR)/etc/nilometer/nilod.toml
	install -D -m 0644 packaging/nilod.service $(DESTDIR)/lib/systemd/system/nilod.service
	install -D -m 0644 packaging/nilod.socket $(DESTDIR)/lib/systemd/system/nilod.socket
	install -D -m 0644 packaging/sysusers.d/nilometer.conf $(DESTDIR)/usr/lib/sysusers.d/nilometer.conf

bench: prerequisites
	@Benchmarks/Recurrent/run.sh

tsan: prerequisites
	swift test --sanitize=thread

prerequisites:
	@scripts/ensure-prerequisites.sh

clean:
	rm -rf .build
