# Everything from a fresh clone. `make run` and `make test` are the two commands of the README.
PREFIX ?= /usr/local
SWIFT_BUILD = swift build -c release
FORMATTED = Sources Plugins Tests Package.swift Benchmarks/Package.swift $(wildcard Benchmarks/*Benchmark)

.PHONY: run test fuzz build certify lint format install bench tsan clean prerequisites

run: build
	@exec .build/release/nilod run --config packaging/demo.toml --state-dir .demo --socket .demo/nilod.sock

# Without testable imports, tests and programs are one build: with them, everything would be compiled twice.
test: build
	swift test -c release --disable-testable-imports

# 60 seconds of libFuzzer on the line protocol decoder, built apart from the rest.
fuzz:
	scripts/fuzz.sh 60

build: prerequisites
	$(SWIFT_BUILD) --product nilod
	$(SWIFT_BUILD) --product niloctl

certify: prerequisites
	$(SWIFT_BUILD) --product CertificationPeer
	scripts/certify.sh .build/release/CertificationPeer

lint:
	swift format lint --strict --recursive $(FORMATTED)

format:
	swift format --in-place --recursive $(FORMATTED)

# What is installed runs without Swift, so it is a build of its own; an existing configuration is left alone.
INSTALL_BUILD = $(SWIFT_BUILD) --static-swift-stdlib --scratch-path .build-install

install: prerequisites
	$(INSTALL_BUILD) --product nilod
	$(INSTALL_BUILD) --product niloctl
	install -D -s -m 0755 .build-install/release/nilod $(DESTDIR)$(PREFIX)/bin/nilod
	install -D -s -m 0755 .build-install/release/niloctl $(DESTDIR)$(PREFIX)/bin/niloctl
	test -e $(DESTDIR)/etc/nilometer/nilod.toml \
		|| install -D -m 0644 packaging/nilod.toml $(DESTDIR)/etc/nilometer/nilod.toml
	install -D -m 0755 packaging/webhook.sh $(DESTDIR)$(PREFIX)/lib/nilometer/webhook.sh
	install -d $(DESTDIR)$(PREFIX)/lib/nilometer/plugins $(DESTDIR)/lib/systemd/system
	sed 's|/usr/local/bin|$(PREFIX)/bin|' packaging/nilod.service > $(DESTDIR)/lib/systemd/system/nilod.service
	install -D -m 0644 packaging/nilod.socket $(DESTDIR)/lib/systemd/system/nilod.socket
	install -D -m 0644 packaging/sysusers.d/nilometer.conf $(DESTDIR)/usr/lib/sysusers.d/nilometer.conf

bench: build
	@Benchmarks/ingest.sh
	@Benchmarks/Recurrent/run.sh
	swift run -c release --package-path Benchmarks LineProtocolBenchmark
	swift run -c release --package-path Benchmarks PluginBenchmark .build/release/nilod

tsan: prerequisites
	swift test --sanitize=thread --scratch-path .build-tsan

prerequisites:
	@scripts/ensure-prerequisites.sh

clean:
	rm -rf .build .build-install .build-fuzz .build-tsan
