/* Reading bulkhead.toml: good files, each mistake with its code, and that a mistake costs one VM only. One file because each key is
 * one row of the same tables of cases. */
#include "lib/base/format.h"
#include "tests/unit/manifest_text.h"

#define GOOD_VM  "[[vm]]\nname = \"good\"\nkernel = \"linux/vmlinuz\"\n"
#define VM_LINES "[[vm]]\nname = \"a\"\nkernel = \"k\"\n"

/* The line below a VM's name and kernel, which is line 4, refuses the VM with just that message; a good VM stays. */
static void expect_refused(const char *vm_line, const char *expected)
{
	static char text[8192];

	format_text(text, sizeof(text), VM_LINES "%s\n" GOOD_VM, vm_line);
	expect_only(text, expected);
	assert_int_equal(manifest.vm_count, 2);
	assert_int_equal(manifest.error_count, 1);
	assert_true(manifest.vms[0].refused);
	assert_int_equal(manifest.messages[0].vm_index, 0);
	assert_false(manifest.vms[1].refused);
	assert_string_equal(manifest.vms[1].name, "good");
}

static const struct manifest_vm *read_vm_line(const char *vm_line)
{
	static char text[8192];

	format_text(text, sizeof(text), VM_LINES "%s\n", vm_line);
	read_text(text);
	if (manifest.message_count != 0)
		print_messages();
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.vm_count, 1);
	assert_false(manifest.vms[0].refused);
	return &manifest.vms[0];
}

static void test_manifest_reads_every_supported_key(void **state)
{
	const struct manifest_vm *vm = &manifest.vms[0];

	(void)state;
	read_text("[host]\nconsole = [\"screen\"]\ndisable = [\"vpid\", \"ept-1g\"]\nquiet = true\n"
		  "[[vm]]\nname = \"web_1-a\"\nkernel = \"linux/vmlinuz\"\ninitrd = \"linux/initrd\"\n"
		  "cmdline = \"console=ttyS0 quiet\"\nmemory = \"2G\"\nvcpus = 64\ncpus = [0, 65]\nweight = 100\n"
		  "hpet = true\nrestart = \"on-failure\"\n");
	assert_int_equal(manifest.message_count, 0);
	assert_int_equal(manifest.host.console, MANIFEST_CONSOLE_SCREEN);
	assert_true(manifest.host.disabled_features == (FEATURE_BIT(FEATURE_VPID) | FEATURE_BIT(FEATURE_EPT_1G)));
	assert_true(manifest.host.quiet);
	assert_int_equal(manifest.vm_count, 1);
	assert_string_equal(vm->name, "web_1-a");
	assert_string_equal(vm->kernel, "linux/vmlinuz");
	assert_string_equal(vm->initrd, "linux/initrd");
	assert_string_equal(vm->cmdline, "console=ttyS0 quiet");
	assert_true(vm->memory_bytes == UINT64_C(2) << 30);
	assert_int_equal(vm->vcpu_count, 64);
	assert_true(vm->cpus[0] == 1 && vm->cpus[1] == 2 && vm->cpus[2] == 0);
	assert_int_equal(vm->weight, 100);
	assert_true(vm->hpet);
	assert_int_equal(vm->restart, MANIFEST_RESTART_ON_FAILURE);
	assert_int_equal(vm->line, 5);
	assert_false(vm->refused);
}

static void test_manifest_reads_ports(void **state)
{
	const struct manifest_vm *vm = read_vm_line("ports = [\"log\", \"data-2_x\"]\nrng = true\nballoon = true\nhvc = true");

	(void)state;
	assert_int_equal(vm->port_count, 2);
	assert_string_equal(vm->ports[0], "log");
	assert_string_equal(vm->ports[1], "data-2_x");
	assert_true(vm->rng && vm->balloon && vm->hvc);
	vm = read_vm_line("");
	assert_int_equal(vm->port_count, 0);
	assert_false(vm->rng || vm->balloon || vm->hvc);
}

static void test_manifest_checks_ports(void **state)
{
	(void)state;
	expect_refused("ports = [\"a.b\"]",
		       "E108 bulkhead.toml line 4: ports \"a.b\" cannot be used; write 1 to 15 of a-z, 0-9, - and _");
	expect_refused("ports = [\"sixteen-letters-\"]",
		       "E108 bulkhead.toml line 4: ports \"sixteen-letters-\" cannot be used; write 1 to 15 of a-z, 0-9, - and _");
	expect_refused("ports = [\"a\", \"a\"]", "E108 bulkhead.toml line 4: ports has \"a\" twice; remove or rename one");
	expect_refused("ports = [\"a\", \"b\", \"c\", \"d\"]",
		       "E107 bulkhead.toml line 4: ports lists more than 3 names; leave some out");
	expect_refused("ports = [3]", "E106 bulkhead.toml line 4: ports lists names in \"quotes\", but here is an integer");
	expect_refused("ports = \"a\"", "E106 bulkhead.toml line 4: ports is text; write an array of names, like [\"log\"]");
}

static void test_manifest_fills_defaults(void **state)
{
	const struct manifest_vm *vm = read_vm_line("");

	(void)state;
	assert_string_equal(vm->initrd, "");
	assert_string_equal(vm->cmdline, "console=ttyS0");
	assert_true(vm->memory_bytes == UINT64_C(512) << 20);
	assert_int_equal(vm->vcpu_count, 1);
	assert_true(vm->cpus[0] == 0);
	assert_int_equal(vm->weight, 100);
	assert_false(vm->hpet);
	assert_int_equal(vm->restart, MANIFEST_RESTART_NEVER);
	assert_int_equal(manifest.host.console, MANIFEST_CONSOLE_SERIAL | MANIFEST_CONSOLE_SCREEN);
	assert_true(manifest.host.disabled_features == 0);
	assert_false(manifest.host.quiet);
}

static void test_manifest_reads_every_feature_name(void **state)
{
	static const char *const names[] = {
#define NAME(symbol, name) name,
		FEATURES(NAME)
#undef NAME
	};
	char text[128];

	(void)state;
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		format_text(text, sizeof(text), "[host]\ndisable = [\"%s\"]\n" GOOD_VM, names[i]);
		read_text(text);
		assert_int_equal(manifest.error_count, 0);
		assert_int_equal(manifest.message_count, (FEATURES_UNUSED >> i & 1) != 0);
		assert_true(manifest.host.disabled_features == FEATURE_BIT(i));
	}
}

static void test_manifest_reads_sizes(void **state)
{
	(void)state;
	assert_true(read_vm_line("memory = \"2M\"")->memory_bytes == UINT64_C(2) << 20);
	assert_true(read_vm_line("memory = \"2052K\"")->memory_bytes == 2052 * 1024);
	assert_true(read_vm_line("memory = \"1T\"")->memory_bytes == UINT64_C(1) << 40);
	assert_true(read_vm_line("memory = 0x200000")->memory_bytes == 0x200000);
	assert_true(read_vm_line("memory = \"2097152\"")->memory_bytes == 2097152);
}

static void test_manifest_refuses_memory_out_of_range(void **state)
{
	(void)state;
	expect_refused("memory = \"64K\"", "E107 bulkhead.toml line 4: memory is 64K; write at least 2M, at most 1T, "
					   "and a multiple of 4K");
	expect_refused("memory = \"1M\"", "E107 bulkhead.toml line 4: memory is 1M; write at least 2M, at most 1T, and a "
					  "multiple of 4K");
	expect_refused("memory = \"2049K\"",
		       "E107 bulkhead.toml line 4: memory is 2049K; write at least 2M, at most 1T, "
		       "and a multiple of 4K");
	expect_refused(
		"memory = 100000000000000000000",
		"E107 bulkhead.toml line 4: memory is 100000000000000000000; write at least 2M, at most 1T, and a "
		"multiple of 4K");
	expect_refused(
		"memory = \"100000000000000000000\"",
		"E107 bulkhead.toml line 4: memory is 100000000000000000000; write at least 2M, at most 1T, and a "
		"multiple of 4K");
	expect_refused("memory = \"18014398509481985K\"",
		       "E107 bulkhead.toml line 4: memory is 18014398509481985K; write at least 2M, at most 1T, and a "
		       "multiple of 4K");
	expect_refused("memory = -1048576", "E107 bulkhead.toml line 4: memory is -1048576; write at least 2M, at most "
					    "1T, and a multiple of 4K");
	expect_refused("memory = 0", "E107 bulkhead.toml line 4: memory is 0; write at least 2M, at most 1T, and a "
				     "multiple of 4K");
	expect_refused("memory = \"1025G\"",
		       "E107 bulkhead.toml line 4: memory is 1025G; write at least 2M, at most 1T, "
		       "and a multiple of 4K");
}

static void test_manifest_refuses_malformed_sizes(void **state)
{
	static const char *const sizes[] = {"", "M", "512MB", "512m", "-1M", "1.5G", "512 M", "0x10M"};
	char line[64];
	char expected[160];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		format_text(line, sizeof(line), "memory = \"%s\"", sizes[i]);
		format_text(
			expected, sizeof(expected),
			"E111 bulkhead.toml line 4: memory \"%s\" is no size; write a number and K, M, G or T, like "
			"\"512M\"",
			sizes[i]);
		expect_refused(line, expected);
	}
}

static void test_manifest_refuses_numbers_out_of_range(void **state)
{
	(void)state;
	expect_refused("vcpus = 0", "E107 bulkhead.toml line 4: vcpus is 0; write 1 to 64");
	expect_refused("vcpus = 65", "E107 bulkhead.toml line 4: vcpus is 65; write 1 to 64");
	expect_refused("vcpus = -1", "E107 bulkhead.toml line 4: vcpus is -1; write 1 to 64");
	expect_refused("weight = 0", "E107 bulkhead.toml line 4: weight is 0; write 1 to 10000");
	expect_refused("weight = 1000000000", "E107 bulkhead.toml line 4: weight is 1000000000; write 1 to 10000");
	expect_refused("weight = 99999999999999999999",
		       "E107 bulkhead.toml line 4: weight is 99999999999999999999; write 1 to 10000");
}

static void test_manifest_refuses_unknown_keys_and_suggests(void **state)
{
	(void)state;
	expect_refused("memroy = \"1G\"",
		       "E105 bulkhead.toml line 4: key \"memroy\" is not known in [[vm]]; did you mean "
		       "\"memory\"?");
	expect_refused("cpu = [0]",
		       "E105 bulkhead.toml line 4: key \"cpu\" is not known in [[vm]]; did you mean \"cpus\"?");
	expect_refused("flavour = 1",
		       "E105 bulkhead.toml line 4: key \"flavour\" is not known in [[vm]]; remove it, or "
		       "see docs/manifest.md");
	expect_refused("\"\\u001b[2J\" = 1",
		       "E105 bulkhead.toml line 4: key \"?[2J\" is not known in [[vm]]; remove it, "
		       "or see docs/manifest.md");
}

static void test_manifest_refuses_wrong_types(void **state)
{
	(void)state;
	expect_refused("vcpus = \"1\"", "E106 bulkhead.toml line 4: vcpus is text; write an integer without quotes");
	expect_refused("memory = true",
		       "E106 bulkhead.toml line 4: memory is true or false; write a size, like \"512M\"");
	expect_refused("initrd = [\"a\"]", "E106 bulkhead.toml line 4: initrd is an array; write a path in \"quotes\"");
	expect_refused("cmdline.a = 1", "E106 bulkhead.toml line 4: cmdline is a table; write text in \"quotes\"");
	expect_refused("restart = 1", "E106 bulkhead.toml line 4: restart is an integer; write text in \"quotes\"");
	expect_refused("cpus = 1", "E106 bulkhead.toml line 4: cpus is an integer; write an array, like [0, 1]");
	expect_refused("vcpus = 1.0",
		       "E103 bulkhead.toml line 4: vcpus is 1.0: floats, dates, octal and binary are not "
		       "read; write an integer without quotes");
	expect_refused("memory = 1979-05-27",
		       "E103 bulkhead.toml line 4: memory is 1979-05-27: floats, dates, octal and "
		       "binary are not read; write a size, like \"512M\"");
}

static void test_manifest_refuses_bad_cpu_lists(void **state)
{
	(void)state;
	expect_refused("cpus = []", "E113 bulkhead.toml line 4: cpus is empty; remove the key to allow all CPUs");
	expect_refused("cpus = [0, 1, 0]", "E113 bulkhead.toml line 4: cpus has CPU 0 twice; remove one");
	expect_refused(
		"cpus = [256]",
		"E113 bulkhead.toml line 4: cpus lists CPU numbers from 0 to 255; 256 is here, like cpus = [0, 1]");
	expect_refused(
		"cpus = [0,\n-1]",
		"E113 bulkhead.toml line 5: cpus lists CPU numbers from 0 to 255; -1 is here, like cpus = [0, 1]");
	expect_refused(
		"cpus = [\"0\"]",
		"E113 bulkhead.toml line 4: cpus lists CPU numbers from 0 to 255; text is here, like cpus = [0, 1]");
}

static void test_manifest_refuses_bad_choices(void **state)
{
	(void)state;
	expect_refused("restart = \"allways\"",
		       "E112 bulkhead.toml line 4: restart does not know \"allways\"; did you mean \"always\"?");
	expect_refused("restart = \"sometimes\"",
		       "E112 bulkhead.toml line 4: restart does not know \"sometimes\"; write "
		       "one of never on-failure always");
}

static void test_manifest_refuses_bad_paths(void **state)
{
	static const char *const paths[] = {"", "/linux", "linux/", "a//b", "../a", "a/../b", "./a", "a\\\\b", "a\\nb"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		format_text(text, sizeof(text), "[[vm]]\nname = \"a\"\nkernel = \"%s\"\n" GOOD_VM, paths[i]);
		read_text(text);
		assert_int_equal(manifest.error_count, 1);
		assert_int_equal(manifest.messages[0].code, E117);
		assert_true(manifest.vms[0].refused);
		assert_false(manifest.vms[1].refused);
	}
	assert_string_equal(read_vm_line("initrd = \"..a/.b/c..\"")->initrd, "..a/.b/c..");
}

static void test_manifest_bounds_text(void **state)
{
	static char text[4096];
	char path[160];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "cmdline = \"", 11);
	memcpy(text + 11 + 2047, "\"", 2);
	assert_int_equal(strlen(read_vm_line(text)->cmdline), 2047);
	memcpy(text + 11 + 2047, "x\"", 3);
	expect_refused(text, "E108 bulkhead.toml line 4: cmdline has 2048 bytes; shorten it to at most 2047");
	expect_refused("cmdline = \"a\\nb\"", "E108 bulkhead.toml line 4: cmdline holds a control character (\\n, \\t, "
					      "\\u00..); remove it");
	memset(path, 'x', sizeof(path));
	memcpy(path, "initrd = \"", 10);
	memcpy(path + 10 + 127, "\"", 2);
	assert_int_equal(strlen(read_vm_line(path)->initrd), 127);
	memcpy(path + 10 + 127, "x\"", 3);
	expect_refused(path, "E117 bulkhead.toml line 4: initrd has a path of 128 bytes; shorten it to at most 127");
}

static void test_manifest_refuses_bad_names(void **state)
{
	static const char *const names[] = {"", "Web", "a b", "a.b", "#1", "abcdefghijklmnopqrstuvwxyz012345"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		format_text(text, sizeof(text), "[[vm]]\nname = \"%s\"\nkernel = \"k\"\n" GOOD_VM, names[i]);
		read_text(text);
		assert_int_equal(manifest.message_count, 1);
		assert_int_equal(manifest.messages[0].code, E108);
		assert_int_equal(manifest.messages[0].line, 2);
		assert_true(manifest.vms[0].refused);
		assert_string_equal(manifest.vms[0].name, "#1");
	}
	read_text("[[vm]]\nname = \"abcdefghijklmnopqrstuvwxyz01234\"\nkernel = \"k\"\n");
	assert_int_equal(manifest.message_count, 0);
}

static void test_manifest_refuses_later_vm_of_same_name(void **state)
{
	(void)state;
	expect_only(VM_LINES GOOD_VM VM_LINES,
		    "E109 bulkhead.toml line 7: name \"a\" is already that of the VM on line "
		    "1; choose another");
	assert_false(manifest.vms[0].refused);
	assert_false(manifest.vms[1].refused);
	assert_true(manifest.vms[2].refused);
	assert_string_equal(manifest.vms[2].name, "#3");
}

static void test_manifest_refuses_missing_keys(void **state)
{
	(void)state;
	read_text("[[vm]]\n[[vm]]\nname = \"a\"\n");
	assert_int_equal(manifest.message_count, 3);
	expect_message(0, "E110 bulkhead.toml line 1: [[vm]] has no name; add a line name = \"...\"");
	expect_message(1, "E110 bulkhead.toml line 1: [[vm]] has no kernel; add a line kernel = \"...\"");
	expect_message(2, "E110 bulkhead.toml line 2: [[vm]] has no kernel; add a line kernel = \"...\"");
	read_text("[[vm]]\nname = \"a\"\nfirmware = \"bios.bin\"\n");
	assert_int_equal(manifest.message_count, 0);
	assert_string_equal(manifest.vms[0].firmware, "bios.bin");
	assert_string_equal(manifest.vms[0].kernel, "");
	read_text("[[vm]]\n[[vm]]\nname = \"a\"\n");
	assert_string_equal(manifest.vms[0].name, "#1");
	assert_string_equal(manifest.vms[1].name, "a");
}

static void test_manifest_refuses_keys_set_twice(void **state)
{
	(void)state;
	expect_refused("name = \"b\"", "E118 bulkhead.toml line 4: name is already set on line 2; remove one");
	assert_string_equal(manifest.vms[0].name, "a");
}

static void test_manifest_refuses_keys_of_later_versions(void **state)
{
	static const char *const lines[] = {"pci = 3"};
	char expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		format_text(expected, sizeof(expected),
			    "E114 bulkhead.toml line 4: %.*s is not yet supported in this version; remove it",
			    (int)(strchr(lines[i], ' ') - lines[i]), lines[i]);
		expect_refused(lines[i], expected);
	}
}

static void test_manifest_notes_settings_without_effect(void **state)
{
	(void)state;
	expect_only("[host]\ndisable = [\"io-bitmaps\"]\n" GOOD_VM,
		    "E120 bulkhead.toml line 2: note: \"io-bitmaps\" in disable has no effect: this version never uses it");
	assert_true(manifest_message_is_note(&manifest.messages[0]));
	assert_false(manifest.vms[0].refused);
	assert_int_equal(manifest.error_count, 0);
}

static void test_manifest_keeps_host_defaults_where_host_is_wrong(void **state)
{
	(void)state;
	expect_only("[host]\nconsole = []\n" GOOD_VM,
		    "E112 bulkhead.toml line 2: console is empty; write one of serial screen");
	assert_int_equal(manifest.host.console, MANIFEST_CONSOLE_SERIAL | MANIFEST_CONSOLE_SCREEN);
	expect_only("[host]\nconsole = [\"seriel\"]\n" GOOD_VM,
		    "E112 bulkhead.toml line 2: console does not know \"seriel\"; did you mean \"serial\"?");
	assert_int_equal(manifest.host.console, MANIFEST_CONSOLE_SERIAL | MANIFEST_CONSOLE_SCREEN);
	expect_only("[host]\ndisable = [\"apic\", \"vpid\"]\n" GOOD_VM,
		    "E115 bulkhead.toml line 2: disable does not know \"apic\"; did you mean \"apicv\"?");
	assert_true(manifest.host.disabled_features == FEATURE_BIT(FEATURE_VPID));
	expect_only("[host]\ndisable = [\"warp\"]\n" GOOD_VM,
		    "E115 bulkhead.toml line 2: disable does not know \"warp\"; docs/manifest.md lists them");
	expect_only("[host]\ndisable = [1]\n" GOOD_VM,
		    "E106 bulkhead.toml line 2: disable lists text in \"quotes\", but here is an integer");
	assert_false(manifest.vms[0].refused);
}

static void test_manifest_refuses_unknown_tables(void **state)
{
	(void)state;
	expect_only("[hots]\nx = 1\n" GOOD_VM,
		    "E104 bulkhead.toml line 1: table \"hots\" is not known; did you mean \"host\"?");
	expect_only("[[machine]]\n" GOOD_VM,
		    "E104 bulkhead.toml line 1: table \"machine\" is not known; there are [host], [[vm]], [[switch]], "
		    "[[shared]] and [schedule]");
	expect_only("memory = \"1G\"\n" GOOD_VM,
		    "E105 bulkhead.toml line 1: key \"memory\" stands above all tables; put it below [host] or [[vm]]");
	expect_only("[vm]\nname = \"a\"\n",
		    "E106 bulkhead.toml line 1: \"vm\" is a table; write [[vm]] on a line of its own");
	expect_only("[[host]]\n" GOOD_VM,
		    "E106 bulkhead.toml line 1: \"host\" is an array; write [host] on a line of its own");
	expect_only("vm = [1]\n", "E106 bulkhead.toml line 1: vm lists an integer; write a table below [[vm]]");
	expect_only("host = {}\nhost = {}\nvm = [{name = 'a', kernel = 'k'}]",
		    "E118 bulkhead.toml line 2: host is already set on line 1; remove one");
}

static void test_manifest_gives_one_message_for_bad_syntax(void **state)
{
	(void)state;
	expect_only(GOOD_VM "memory = 512M\n",
		    "E101 bulkhead.toml line 4, column 10: 512M is no number, true or false; if "
		    "it is text, put it in \"quotes\"");
	assert_int_equal(manifest.vm_count, 0);
	expect_only("\x7f"
		    "ELF",
		    "E101 bulkhead.toml line 1, column 1: byte 0x7f is not text; save the file as plain "
		    "UTF-8 text");
}

static void test_manifest_reports_files_that_do_not_fit(void **state)
{
	static char text[20000] = "[host]\ndisable = [";
	size_t used = strlen(text);

	(void)state;
	for (; used < sizeof(text) - 4; used += 2)
		memcpy(text + used, "1,", 3);
	expect_only(text, "E102 bulkhead.toml line 2, column 8198: the file holds more than 4096 values; shorten it");
	assert_int_equal(manifest.vm_count, 0);
}

static void test_manifest_says_when_there_is_no_vm(void **state)
{
	(void)state;
	expect_only("", "E121 bulkhead.toml: the file names no VM; add a [[vm]] with name and kernel");
	expect_only("[host]\n", "E121 bulkhead.toml: the file names no VM; add a [[vm]] with name and kernel");
	manifest_unreadable(&manifest, MANIFEST_FILE_NAME, "it did not fit into memory");
	expect_message(0, "E119 bulkhead.toml: the file cannot be read: it did not fit into memory");
	assert_int_equal(manifest.error_count, 1);
}

static void test_manifest_takes_64_vms_and_ignores_more(void **state)
{
	static char text[8192];
	size_t used = 0;

	(void)state;
	for (unsigned i = 0; i < 66; i++)
		used += format_text(text + used, sizeof(text) - used, "[[vm]]\nname = \"v%u\"\nkernel = \"k\"\n", i);
	expect_only(text, "E116 bulkhead.toml line 193: this and later VMs are ignored; at most 64 are supported");
	assert_int_equal(manifest.vm_count, 64);
	assert_false(manifest.vms[63].refused);
}

static void test_manifest_keeps_a_message_for_every_refused_vm(void **state)
{
	static char text[65536];
	size_t used = 0;
	bool has_message[MANIFEST_VMS_MAX] = {false};

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		used += format_text(
			text + used, sizeof(text) - used,
			"[[vm]]\nname = \"v%u\"\nweight = 0\na = 1\nb = 1\nc = 1\nd = 1\ne = 1\nf = 1\ng = 1\n"
			"h = 1\ni = 1\n",
			i);
	read_text(text);
	assert_int_equal(manifest.error_count, 64 * 11);
	assert_int_equal(manifest.message_count + manifest.messages_left_out, 64 * 11);
	for (uint32_t i = 0; i < manifest.message_count; i++)
		has_message[manifest.messages[i].vm_index] |= !manifest_message_is_note(&manifest.messages[i]);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(manifest.vms[i].refused);
		assert_true(has_message[i]);
		assert_true(manifest.vms[i].message_count <= MANIFEST_MESSAGES_PER_VM);
	}
}

static void test_manifest_reads_anew_each_time(void **state)
{
	(void)state;
	read_text("x");
	assert_int_equal(manifest.error_count, 1);
	read_text(GOOD_VM);
	assert_int_equal(manifest.error_count, 0);
	assert_int_equal(manifest.vm_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_reads_every_supported_key),
		cmocka_unit_test(test_manifest_reads_ports),
		cmocka_unit_test(test_manifest_checks_ports),
		cmocka_unit_test(test_manifest_fills_defaults),
		cmocka_unit_test(test_manifest_reads_every_feature_name),
		cmocka_unit_test(test_manifest_reads_sizes),
		cmocka_unit_test(test_manifest_refuses_memory_out_of_range),
		cmocka_unit_test(test_manifest_refuses_malformed_sizes),
		cmocka_unit_test(test_manifest_refuses_numbers_out_of_range),
		cmocka_unit_test(test_manifest_refuses_unknown_keys_and_suggests),
		cmocka_unit_test(test_manifest_refuses_wrong_types),
		cmocka_unit_test(test_manifest_refuses_bad_cpu_lists),
		cmocka_unit_test(test_manifest_refuses_bad_choices),
		cmocka_unit_test(test_manifest_refuses_bad_paths),
		cmocka_unit_test(test_manifest_bounds_text),
		cmocka_unit_test(test_manifest_refuses_bad_names),
		cmocka_unit_test(test_manifest_refuses_later_vm_of_same_name),
		cmocka_unit_test(test_manifest_refuses_missing_keys),
		cmocka_unit_test(test_manifest_refuses_keys_set_twice),
		cmocka_unit_test(test_manifest_refuses_keys_of_later_versions),
		cmocka_unit_test(test_manifest_notes_settings_without_effect),
		cmocka_unit_test(test_manifest_keeps_host_defaults_where_host_is_wrong),
		cmocka_unit_test(test_manifest_refuses_unknown_tables),
		cmocka_unit_test(test_manifest_gives_one_message_for_bad_syntax),
		cmocka_unit_test(test_manifest_reports_files_that_do_not_fit),
		cmocka_unit_test(test_manifest_says_when_there_is_no_vm),
		cmocka_unit_test(test_manifest_takes_64_vms_and_ignores_more),
		cmocka_unit_test(test_manifest_keeps_a_message_for_every_refused_vm),
		cmocka_unit_test(test_manifest_reads_anew_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
