# Everything from a fresh clone. `make run` and `make test` are the two commands of the README.
PREFIX ?= /usr/local
SWIFT_BUILD = swift build -c release
FORMATTED = Sources Plugins Tests packaging Package.swift Benchmarks/Package.swift $(wildcard Benchmarks/*Benchmark)

.PHONY: run test soak simulate planted fuzz build certify lint format man docs install bench tsan clean prerequisites

run: build
	@exec .build/release/nilod run --config packaging/demo.toml --state-dir .demo --socket .demo/nilod.sock

# Without testable imports, tests and programs are one build: with them, everything would be compiled twice.
test: build
	@rm -f .build/skipped
	NILOMETER_SKIPPED=$(CURDIR)/.build/skipped swift test -c release --disable-testable-imports
	@if [ -s .build/skipped ]; then \
		echo "$$(wc -l < .build/skipped) tests could not run in full here:"; sort .build/skipped | uniq -c; \
	else echo "no test was skipped"; fi

# The long form of the storage proofs: 1,000 kills, every byte of live content flipped.
SOAK_KILLS = 1000

soak: build
	NILOMETER_SOAK=1 SOAK_KILLS=$(SOAK_KILLS) swift test -c release --disable-testable-imports --filter "KillTests|DamageTests|HandEditTests"

# Simulated worlds on all cores: SEEDS=300 of them, or new ones for HOURS=8.
simulate: prerequisites
	$(SWIFT_BUILD) --product nilosim
	scripts/simulate.sh

# How many worlds it takes to find each defect that is compiled into a build of its own.
PLANTED = NILOMETER_PLANTED=1 $(SWIFT_BUILD) --scratch-path .build-planted
planted: prerequisites
	$(PLANTED) --product nilosim
	$(PLANTED) --product nilod
	NILOMETER_PLANTED_BUG=lateReadingsCount .build-planted/release/nilosim real 1 --count 10 \
		--nilod .build-planted/release/nilod | grep "FAILED.*a state is a replay"
	.build-planted/release/nilosim 1 --count 1000 --coverage
	.build-planted/release/nilosim planted

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

# The manual pages, from what the programs and the sample configuration say of themselves.
man: build
	$(SWIFT_BUILD) --product ManualPages
	scripts/man.sh .build/release .build/man

# docs/configuration.md, and the DocC pages of the libraries in .build/docs.
docs: build
	$(SWIFT_BUILD) --product ManualPages
	.build/release/nilod reference | .build/release/ManualPages nilod.toml markdown > docs/configuration.md
	scripts/docc.sh .build/docs

# What is installed runs without Swift, so it is a build of its own; an existing configuration is left alone.
COMPLETIONS = bash-completion/completions/niloctl zsh/site-functions/_niloctl fish/vendor_completions.d/niloctl.fish
INSTALL_BUILD = $(SWIFT_BUILD) --static-swift-stdlib --scratch-path .build-install

install: prerequisites
	$(INSTALL_BUILD) --product nilod
	$(INSTALL_BUILD) --product niloctl
	install -D -s -m 0755 .build-install/release/nilod $(DESTDIR)$(PREFIX)/bin/nilod
	install -D -s -m 0755 .build-install/release/niloctl $(DESTDIR)$(PREFIX)/bin/niloctl
	$(INSTALL_BUILD) --product ManualPages
	scripts/man.sh .build-install/release .build-install/man
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 .build-install/man/*.1
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 .build-install/man/*.5
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,$(dir $(COMPLETIONS)))
	for shell in bash zsh fish; do .build-install/release/niloctl completions $$shell > .build-install/niloctl.$$shell; done
	install -m 0644 .build-install/niloctl.bash $(DESTDIR)$(PREFIX)/share/$(word 1,$(COMPLETIONS))
	install -m 0644 .build-install/niloctl.zsh $(DESTDIR)$(PREFIX)/share/$(word 2,$(COMPLETIONS))
	install -m 0644 .build-install/niloctl.fish $(DESTDIR)$(PREFIX)/share/$(word 3,$(COMPLETIONS))
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
	rm -rf .build .build-install .build-fuzz .build-tsan .build-planted
