# One file for the whole tree; `make help` lists what it can do. All output is below build/FLAVOUR/.

VERSION := $(file <VERSION)
PREFIX ?= /usr/local
# Give V=1 to see the commands, WERROR=1 to stop at a warning.
Q := $(if $(V),,@)

MODULES := $(wildcard common/*.c)
TOOLS := $(patsubst tools/%.c,%,$(wildcard tools/*.c))
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
HELPERS := $(patsubst tests/helpers/%.c,%,$(wildcard tests/helpers/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
C_FILES := $(wildcard common/*.c tools/*.c tests/unit/*.c tests/helpers/*.c tests/faults/*.c tests/faults/inject/*.c tests/bench/*.c)

# What is shipped is release. system has the C library of the compiler, for nsmount and for the programs of the tests. The last two are
# made by clang: libFuzzer, and counters that an exec does not lose.
FLAVOURS := release system asan fuzz coverage
CLANG ?= clang
export CLANG
CC_release = $(CC)
CC_system = $(CC)
CC_asan = $(CC)
CC_fuzz = $(CLANG)
CC_coverage = $(CLANG)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wwrite-strings -Wno-missing-field-initializers $(if $(WERROR),-Werror)
CFLAGS_all := -std=gnu17 -D_GNU_SOURCE -DNSCHAIN_VERSION=\"$(VERSION)\" -I. -g $(WARNINGS)
# Only for what has a file of its own to write to: with the standard input it would be called "-.d".
DEPENDENCIES := -MMD -MP
# Small: the time of a link is the kernel's, its memory are its pages, and whoever changes the root copies them.
CFLAGS_system := -Os -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
LDFLAGS_system := -static-pie -Wl,-z,relro,-z,now -Wl,--gc-sections
CFLAGS_release := $(CFLAGS_system)
# Without what only debuggers read, but for one symbol that check-faults looks for (STRIP_DEBUG= keeps all).
STRIP_DEBUG ?= -Wl,--strip-all -Wl,--export-dynamic-symbol=main
LDFLAGS_release := $(LDFLAGS_system) $(STRIP_DEBUG)
CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined -Wl,--wrap=exit,--wrap=_exit,--wrap=write,--wrap=openat
# The counters are mapped from the file that is named here, so that neither exec nor an empty environment is their end.
COUNTERS := $(CURDIR)/build/coverage/counters
CFLAGS_coverage := -O1 -fprofile-instr-generate=$(COUNTERS)/%m%c.profraw -fcoverage-mapping -mllvm -runtime-counter-relocation \
	-DCOUNTERS=\"$(COUNTERS)\"
OBJECTS_coverage := build/coverage/tests/coverage/begin.o
LDFLAGS_coverage := -static-pie -Wno-unused-command-line-argument

$(foreach flavour,$(FLAVOURS),$(eval LIBS_$(flavour) := -lcap))

# The C library of release: musl, which starts a program in a tenth of the time, or that of the compiler (LIBC=system).
LIBC ?= musl
MUSL_INCLUDE ?= /usr/include/$(shell uname -m)-linux-musl
MUSL_LIB ?= /usr/lib/$(shell uname -m)-linux-musl
ifeq ($(LIBC),musl)
# Headers that it does not have, those of the kernel and of libcap, are found where they always are.
CFLAGS_release += -isystem $(MUSL_INCLUDE)
LDFLAGS_release += -nostartfiles -nodefaultlibs $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o
LIBS_release += build/release/libnschain.a $(MUSL_LIB)/libc.a -lgcc $(MUSL_LIB)/crtn.o
endif
# fsmount is of no use without libmount, which there is for the system's C library only.
$(foreach flavour,$(FLAVOURS),$(eval EXCEPT_$(flavour) := common/fortify.c))
EXCEPT_release := $(if $(filter musl,$(LIBC)),common/fsmount.c,common/fortify.c)

COMPILE_limit := $(CC) $(CFLAGS_all) -O2 -static $(if $(filter musl,$(LIBC)),-fno-pie -no-pie -fno-stack-protector -isystem $(MUSL_INCLUDE) -nostartfiles \
	-nodefaultlibs $(MUSL_LIB)/crt1.o $(MUSL_LIB)/crti.o)
LIBS_limit := $(if $(filter musl,$(LIBC)),$(MUSL_LIB)/libc.a -lgcc $(MUSL_LIB)/crtn.o)

# Goals that install what they need first, so that they work on a fresh machine.
SETS_setup := build demo test
SETS_demo := build demo
SETS_cast := build demo cast
SETS_check := build test
SETS_check-asan := build test
SETS_check-vm := build test vm
SETS_soak := build test
SETS_fuzz := build test fuzz
SETS_fuzz-cli := build test
SETS_coverage := build test coverage
SETS_check-escape := build test
SETS_check-mutants := build test
SETS_check-faults := build test
SETS_check-kernels := build test vm
SETS_bench := build test bench
SETS_dist := dist
SETS_dist-binary := build dist
SETS_deb := build dist deb
SETS_check-packages := build dist deb packages
SETS_lint := build lint
SETS ?= $(sort $(foreach goal,$(MAKECMDGOALS),$(SETS_$(firstword $(subst lint-,lint ,$(goal))))))
SETUP := $(if $(SETS),setup)

all: $(TOOLS:%=build/release/bin/%) build/completions/made ## build the links into build/release/bin (the default)

# From the option tables, by way of --help.
build/completions/made: $(wildcard completions/*) $(TOOLS:%=build/release/bin/%)
	$(Q)completions/generate.sh build/release/bin build/completions
	$(Q)touch $@

check: tests-release ## run all tests, as root also as an unprivileged user (TESTS="cli test_parse": only these)
	@tests/run.sh release

check-asan: tests-asan ## the same, built with the address and undefined-behaviour sanitizers
	@tests/run.sh asan

check-vm: tests-release ## the same in two emulated machines where cgroups are version 2 alone (takes its time)
	@tests/vm/check.sh

soak: tests-release ## start thousands of containers, kill some, and look for what is left (SOAK_CHAINS=10000 SOAK_ALIVE=1000)
	@tests/soak.sh

# What FUZZ picks, or all: cli-lines is the command lines, all else targets.
PICKED := $(or $(FUZZ),$(FUZZERS) cli-lines)
fuzz: $(patsubst %,build/fuzz/targets/%,$(filter $(FUZZERS),$(PICKED))) $(if $(filter cli-lines,$(PICKED)),tests-release tests-asan) ## feed parsers and command lines with what nobody would write (FUZZ_SECONDS=60 FUZZ_LINES=100000 FUZZ="parse cli-lines": only these)
	@tests/fuzz/run.sh

fuzz-cli: tests-release tests-asan ## only the command lines, in a world that is thrown away (FUZZ_LINES=100000; CLI_SEED=1: the same again)
	@tests/fuzz/cli-lines.py

coverage: tests-coverage ## run all tests and show how many lines and branches of each file they reach (TESTS="cli": only these; COVERAGE_HTML=1)
	@tests/coverage/run.sh

check-escape: tests-release ## try each way out that is listed in tests/escape, as root and as an unprivileged user (ROWS="S14": only these)
	@tests/escape/check.sh release

check-mutants: tests-release ## take out one defence after another: a test has to notice (MUTANTS="names", MUTANTS_THIN=K: every K-th)
	@tests/mutants/check.sh

check-faults: tests-release build/release/faults/inject build/release/faults/payload ## fail each system call of the links once (FAULTS_THIN=1: with each error)
	@tests/faults/check.sh

check-kernels: tests-release build/release/faults/inject build/release/faults/payload ## take system calls away altogether, as older kernels and filters do, here and on Linux 6.1 (KERNELS="here vm")
	@tests/faults/check-kernels.sh

BENCH_PROGRAMS := $(addprefix build/release/bench/,limit drive true pause)
bench: tests-release $(BENCH_PROGRAMS) ## time chains beside other programs, and beside the system calls alone (BENCH="a c": only these cases; BENCH_ROUNDS=200)
	@tests/bench/bench.py

demo: all | $(SETUP) ## set up, build, and show a container made of links
	@NSCHAIN_BIN=$(CURDIR)/build/release/bin tests/demo.sh

cast: all | $(SETUP) ## record the session of README.svg anew, as root: what tests/cast/session types into a shell
	@NSCHAIN_BIN=$(CURDIR)/build/release/bin tests/cast.sh README.svg

check-packages: | $(SETUP) ## build all that is handed out, twice, install it in a fresh Debian, and remove it (MIRROR=URL SUITE=bookworm)
	@tests/packages.sh

LINTS := layers cloexec functions style analyze
lint: $(LINTS:%=lint-%) ## all static checks: layers cloexec functions style analyze (one of them: make lint-style)
$(LINTS:%=lint-%): lint-%: | $(SETUP)
	@tests/lint/$*.sh
lint-analyze: build/compile_commands.json

format: ## lay out all C files by .clang-format
	clang-format -i $(wildcard common/*.[ch] tools/*.c tests/*/*.[ch] tests/*/*/*.[ch])

setup: ## install the Debian packages that are missing (SETS="build demo cast test vm lint fuzz coverage bench dist deb packages": for these)
	@tests/setup.sh $(SETS)

dist: | $(SETUP) ## make the source tarball in build/dist, the same bytes each time (SOURCE_DATE_EPOCH=SECONDS)
	@packages/build.sh source

# From a tree of its own, so that tar -C PREFIX --strip-components=1 installs it.
dist-binary: all ## make a tarball of the static links, with pages and completions, in build/dist
	$(if $(filter musl,$(LIBC)),,$(error nschain: dist-binary is made with LIBC=musl))
	$(Q)rm -rf build/dist/tree
	$(Q)$(MAKE) -s --no-print-directory install DESTDIR='$(CURDIR)/build/dist/tree' PREFIX=
	@MACHINE=$$($(CC) -dumpmachine | cut -d - -f 1) packages/build.sh binary

deb: | $(SETUP) ## make the Debian package, in build/dist
	@packages/build.sh deb

compile_commands.json: build/compile_commands.json ## write build/compile_commands.json for clang tools

clean: ## remove build/
	rm -rf build

help: ## show this list
	@echo 'Targets:'
	@sed -n 's/^\([a-z_.-]*\):.* ## \(.*\)/\1\t\2/p' Makefile | expand -t 24 | sed 's/^/    /'
	@echo 'Variables: CC LIBC=musl|system CPPFLAGS CFLAGS LDFLAGS PREFIX DESTDIR V=1 WERROR=1'

# Where zsh looks below PREFIX.
ZSH_COMPLETIONS ?= share/zsh/site-functions
# What install puts where below PREFIX, as source:mode:destination.
INSTALLED := $(foreach tool,$(TOOLS),build/release/bin/$(tool):755:bin/$(tool)) \
	$(foreach page,$(wildcard man/*.[1-8]),$(page):644:share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	build/completions/bash/nschain:644:share/bash-completion/completions/nschain \
	build/completions/zsh/_nschain:644:$(ZSH_COMPLETIONS)/_nschain \
	$(foreach tool,$(TOOLS),build/completions/fish/$(tool).fish:644:share/fish/vendor_completions.d/$(tool).fish) \
	build/completions/fish/__nschain.fish:644:share/fish/vendor_functions.d/__nschain.fish
# bash looks for a file with the name of the command, and all of them are that one.
BASH_NAMES := $(TOOLS:%=share/bash-completion/completions/%)
part = $(word $(1),$(subst :, ,$(2)))
define newline


endef

install: all ## copy links, manual pages and completions below DESTDIR and PREFIX (/usr/local)
	$(foreach file,$(INSTALLED),$(Q)install -D -m $(call part,2,$(file)) $(call part,1,$(file)) \
		'$(DESTDIR)$(PREFIX)/$(call part,3,$(file))'$(newline))
	$(foreach name,$(BASH_NAMES),$(Q)ln -sf nschain '$(DESTDIR)$(PREFIX)/$(name)'$(newline))

uninstall: ## remove what install copied
	$(foreach name,$(BASH_NAMES),$(Q)rm -f '$(DESTDIR)$(PREFIX)/$(name)'$(newline))
	$(foreach file,$(INSTALLED),$(Q)rm -f '$(DESTDIR)$(PREFIX)/$(call part,3,$(file))'$(newline))

# $(call require,FILE,PACKAGE): without it the linker's last words would be "cannot find -lcap".
define require
	@test -e "$$($(CC) -print-file-name=$(1))" || \
		{ echo "nschain: $(1) is missing: install $(2) (Debian's name), or run: make setup" >&2; exit 1; }
endef
quoted = '$(subst ','\'',$(1))'

define flavour
COMPILE_$(1) = $$(CC_$(1)) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(CPPFLAGS) $$(CFLAGS)
LINK_$(1) = $$(CC_$(1)) $$(CFLAGS_$(1)) $$(CFLAGS) $$(LDFLAGS_$(1)) $$(LDFLAGS)

tests-$(1): build/$(1)/bench/limit $$(TOOLS:%=build/$(1)/bin/%) $$(UNITS:%=build/$(1)/unit/%) $$(HELPERS:%=build/$(1)/helpers/%)

# Changes when the commands do, so that everything is built again with another compiler or other flags.
build/$(1)/flags: FORCE | $$(SETUP)
	@command -v $$(firstword $$(CC_$(1))) >/dev/null || \
		{ echo "nschain: $$(firstword $$(CC_$(1))) is missing: install it, or run: make setup" >&2; exit 1; }
	$$(call require,libc.a,libc6-dev)
	$$(call require,libcap.a,libcap-dev)
	$$(call require,libmount.so,libmount-dev)
	$(if $(filter release-musl,$(1)-$(LIBC)),$$(call require,$(MUSL_LIB)/rcrt1.o,musl-tools))
	@mkdir -p $$(@D)
	@printf '%s\n' $$(call quoted,$$(COMPILE_$(1)) : $$(LINK_$(1))) | cmp -s - $$@ || \
		printf '%s\n' $$(call quoted,$$(COMPILE_$(1)) : $$(LINK_$(1))) >$$@

build/$(1)/%.o: %.c build/$(1)/flags
	$$(if $$(Q),@echo '  CC $(1) $$<')
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(COMPILE_$(1)) $$(DEPENDENCIES) -c -o $$@ $$<

build/$(1)/libnschain.a: $$(patsubst %.c,build/$(1)/%.o,$$(filter-out $$(EXCEPT_$(1)),$$(MODULES)))
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^

build/$(1)/bin/%: build/$(1)/tools/%.o build/$(1)/libnschain.a $$(OBJECTS_$(1))
	$$(if $$(Q),@echo '  LD $$@')
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(LINK_$(1)) -o $$@ $$^ $$(LIBS_$(1))

# The one dynamic link: there is no libmount.a, and it stands before any change of root.
build/$(1)/bin/nsmount: private LDFLAGS_$(1) := $(LDFLAGS_$(1):-static-pie=-pie)
build/$(1)/bin/nsmount: private LIBS_$(1) := -lmount

build/$(1)/unit/%: build/$(1)/tests/unit/%.o build/$(1)/libnschain.a $$(OBJECTS_$(1))
	$$(if $$(Q),@echo '  LD $$@')
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(LINK_$(1)) -o $$@ $$^ $$(LIBS_$(1))

# Payloads run inside any root file system: always static, never with sanitizers.
build/$(1)/helpers/%: tests/helpers/%.c build/$(1)/flags
	$$(if $$(Q),@echo '  LD $$@')
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(COMPILE_system) $$(LDFLAGS_system) $$(LDFLAGS) $$(DEPENDENCIES) -MT $$@ -MF $$@.d -o $$@ $$<

# With the C library of what it is compared with, but not built like that: nothing is to be slower than it need be.
build/$(1)/bench/limit: tests/bench/limit.c build/$(1)/flags
	$$(if $$(Q),@echo '  LD $$@')
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(COMPILE_limit) $$(DEPENDENCIES) -MT $$@ -MF $$@.d -o $$@ $$< $$(LIBS_limit)
endef
$(foreach name,$(FLAVOURS),$(eval $(call flavour,$(name))))

build/release/bin/nsmount: build/system/bin/nsmount
	$(if $(Q),@echo '  CP $@')
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

# A target is one file with common/ behind it. What the linker wraps is in tests/fuzz/fuzz.h.
build/fuzz/targets/%: build/fuzz/tests/fuzz/%.o build/fuzz/libnschain.a
	$(if $(Q),@echo '  LD $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK_fuzz) -o $@ $^ $(LIBS_fuzz) -lmount

build/release/bench/drive: tests/bench/drive.c build/release/flags
	$(if $(Q),@echo '  LD $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE_system) $(LDFLAGS_system) $(LDFLAGS) $(DEPENDENCIES) -MT $@ -MF $@.d -o $@ $<

build/release/bench/true build/release/bench/pause: tests/bench/payload.c build/release/flags
	$(if $(Q),@echo '  LD $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_all) -O2 -ffreestanding -fno-stack-protector -static -nostdlib -Wl,-e,start \
		$(if $(filter %pause,$@),-DPAUSE) -o $@ $<

# The names of system calls, by number.
build/release/faults/names.h: build/release/flags
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) $(CFLAGS_all) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/\t[\2] = "\1",/p' >$@

build/release/faults/inject: $(wildcard tests/faults/inject/*.[ch]) build/release/faults/names.h
	$(if $(Q),@echo '  LD $@')
	$(Q)$(COMPILE_system) -I$(@D) $(LDFLAGS_system) $(LDFLAGS) -o $@ $(filter %.c,$^)

build/release/faults/payload: tests/faults/payload.c build/release/flags
	$(if $(Q),@echo '  LD $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE_system) $(LDFLAGS_system) $(LDFLAGS) -o $@ $<

json = $(subst ",\",$(subst \,\\,$(1)))
build/compile_commands.json: build/release/flags build/release/faults/names.h
	@for file in $(C_FILES); do \
		printf '{"directory": "%s", "file": "%s", "command": "%s -c %s"},\n' '$(CURDIR)' "$$file" \
			$(call quoted,$(call json,$(COMPILE_system) -Ibuild/release/faults)) "$$file"; \
	done | sed '1s/^/[/; $$s/,$$/]/' >$@

FORCE:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all check check-asan check-vm check-escape check-mutants check-faults check-kernels fuzz fuzz-cli coverage soak bench demo cast dist dist-binary deb check-packages lint $(LINTS:%=lint-%) format setup compile_commands.json clean help \
	install uninstall $(FLAVOURS:%=tests-%) FORCE build/compile_commands.json

-include $(wildcard build/*/*/*.d build/*/tests/*/*.d)
