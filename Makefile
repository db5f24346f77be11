# One Makefile and one fragment per folder (FOLDER/FOLDER.mk), no recursion. What is built goes to $(BUILD) and nowhere else.
#
# A fragment says only what its folder holds:
#   KERNEL_SOURCES   += files linked into the ring 0 image
#   PROGRAMS         += NAME,       NAME_SOURCES      := files of that ring 3 program (user/ is added to each)
#   UNIT_TESTS       += NAME,       test_NAME_SOURCES := files under test; the test itself is tests/unit/test_NAME.c
#   FUZZ_TARGETS     += NAME,       fuzz_NAME_SOURCES := files under test; the target itself is tests/fuzz/fuzz_NAME.c;
#                                   fuzz_NAME_FLAGS   := more flags for the compiler, if any
#   HOST_TOOLS       += NAME,       tool_NAME_SOURCES := all files of a program for the developer's PC
#   IMAGE_FILES      += what `make` must produce for the boot image

BUILD ?= build
CC ?= gcc
CLANG ?= clang
NASM ?= nasm
PYTHON ?= python3
WERROR ?= $(if $(CI),-Werror)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wswitch-enum -Wvla \
	-Wframe-larger-than=2560 $(WERROR)
COMMON := -std=c11 -O2 -g -I. -I$(BUILD)/generated $(WARNINGS) -fno-strict-aliasing -fno-common -MMD -MP
FREESTANDING := $(COMMON) -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-mgeneral-regs-only -mno-red-zone -fno-asynchronous-unwind-tables -fcf-protection=none -fno-stack-protector \
	-fno-omit-frame-pointer -ffile-prefix-map=$(CURDIR)=.
KERNEL_CFLAGS := $(FREESTANDING) -fPIE -fvisibility=hidden
USER_CFLAGS := $(FREESTANDING) -fno-pie
HOST_CFLAGS := $(filter-out -Wframe-larger-than=%,$(COMMON)) -D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
NASMFLAGS := -felf64 -gdwarf -I./ -I$(BUILD)/generated/ -Werror

comma := ,

all: image-files

FRAGMENTS := $(sort $(wildcard */*.mk */*/*.mk))
include $(FRAGMENTS)

objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(2)))
# The same name twice (a.c and a.asm) would make one object: a fragment must not do that.

# Ring 0: static-pie, moved to a random place by the loader. Optimized as one program when it is linked: an exit, a switch and a
# wake-up each run through many short functions of several files.
KERNEL_LTO := -flto
$(BUILD)/kernel/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) $(KERNEL_LTO) -c $< -o $@
# The compiler calls its functions on its own, also once it has looked at all of the program.
$(BUILD)/kernel/lib/base/string.o: KERNEL_LTO :=
$(BUILD)/kernel/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@

# Ring 3 programs: static, at a fixed address of their own address space.
$(BUILD)/user/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -c $< -o $@
$(BUILD)/user/%.o: %.asm
	@mkdir -p $(@D)
	$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@

USER_LDFLAGS := -nostdlib -static -no-pie -Wl,-z,noexecstack -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-T,user/program.ld
define program_rule
$(BUILD)/$(1): $$(call objects,user,$$($(1)_SOURCES) $$(USER_SOURCES)) user/program.ld tools/check_elf.py
	$$(CC) $$(USER_LDFLAGS) -o $$@ $$(filter %.o,$$^)
	$$(PYTHON) tools/check_elf.py --program $$@
IMAGE_FILES += $(BUILD)/$(1)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program))))

# The same sources for the developer's PC, under ASan and UBSan.
$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -c $< -o $@

define unit_test_rule
$(BUILD)/tests/test_$(1): $$(call objects,host,tests/unit/test_$(1).c $$(test_$(1)_SOURCES))
	@mkdir -p $$(@D)
	$$(CC) $$(HOST_CFLAGS) -o $$@ $$^ -lcmocka
UNIT_TEST_PROGRAMS += $(BUILD)/tests/test_$(1)
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_test_rule,$(test))))

define host_tool_rule
$(BUILD)/tools/$(1): $$(call objects,host,$$(tool_$(1)_SOURCES))
	@mkdir -p $$(@D)
	$$(CC) $$(HOST_CFLAGS) -o $$@ $$^
HOST_TOOL_PROGRAMS += $(BUILD)/tools/$(1)
endef
$(foreach tool,$(HOST_TOOLS),$(eval $(call host_tool_rule,$(tool))))

FUZZ_CFLAGS := $(filter-out -Wframe-larger-than=%,$(COMMON)) -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
define fuzz_rule
$(BUILD)/fuzz/fuzz_$(1): tests/fuzz/fuzz_$(1).c $$(fuzz_$(1)_SOURCES)
	@mkdir -p $$(@D)
	$$(CLANG) $$(filter-out -MMD -MP,$$(FUZZ_CFLAGS)) $$(fuzz_$(1)_FLAGS) -o $$@ $$^
FUZZ_PROGRAMS += $(BUILD)/fuzz/fuzz_$(1)
endef
$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(target))))

image-files: $(IMAGE_FILES)
	@printf '%s\n' $(IMAGE_FILES) > $(BUILD)/image-files
unit-tests: $(UNIT_TEST_PROGRAMS)
host-tools: $(HOST_TOOL_PROGRAMS)
fuzzers: $(FUZZ_PROGRAMS)
# Each target for FUZZ_SECONDS, as many at once as there are CPUs; what is found stays in $(BUILD)/fuzz.
FUZZ_SECONDS ?= 3600
fuzz: fuzzers
	@$(PYTHON) tools/fuzz.py --seconds $(FUZZ_SECONDS) --folder $(BUILD)/fuzz $(FUZZ_PROGRAMS)

# Runs every unit test program; cmocka prints each test's name and the closing lines.
test-unit: unit-tests
	@for program in $(sort $(UNIT_TEST_PROGRAMS)); do $$program || exit 1; done

# The unit test programs, one a line, for tools/run_tests.py.
list-unit-tests:
	@printf '%s\n' $(sort $(UNIT_TEST_PROGRAMS))

lint:
	@BUILD=$(BUILD) CC=$(CC) $(PYTHON) tools/lint.py

# Sizes of files and functions, and of ring 0.
stats: ring0-lines
	@$(PYTHON) tools/stats.py
ring0-lines: $$(KERNEL_OBJECTS)
	@$(PYTHON) tools/ring0_lines.py --folders $(patsubst %.o,%.d,$(KERNEL_OBJECTS))

clean:
	rm -rf $(BUILD)

.PHONY: all image-files unit-tests host-tools fuzzers fuzz test-unit list-unit-tests lint stats ring0-lines clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
