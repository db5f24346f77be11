# Ring 3 programs that tests boot in the place of this project's own: `make test-guests`.
CALL_FUZZ_SOURCES := tests/programs/call_fuzz.c manager/host.c manager/program.c lib/elf/elf.c lib/elf/relocate.c
$(BUILD)/call_fuzz: $$(call objects,user,$$(CALL_FUZZ_SOURCES) $$(USER_SOURCES)) user/program.ld
	$(CC) $(USER_LDFLAGS) -o $@ $(filter %.o,$^)
	$(PYTHON) tools/check_elf.py --program $@

# The switch, but it dies of a frame that asks for it.
DYING_SWITCH_SOURCES := tests/programs/dying_switch.c $(switch_SOURCES)
$(BUILD)/dying_switch: $$(call objects,user,$$(DYING_SWITCH_SOURCES) $$(USER_SOURCES)) user/program.ld
	$(CC) $(USER_LDFLAGS) -Wl,--wrap=port_take -o $@ $(filter %.o,$^)
	$(PYTHON) tools/check_elf.py --program $@

test-guests: $(BUILD)/call_fuzz $(BUILD)/dying_switch
