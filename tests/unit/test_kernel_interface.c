/* docs/kernel-interface.md explains every system call. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "abi/syscall.h"

static const char *const names[] = {
#define CALL_NAME(name) "| `" #name "` |",
	SYSTEM_CALLS(CALL_NAME)
#undef CALL_NAME
};

static void test_kernel_interface_names_every_call(void **state)
{
	static char page[128 * 1024];
	FILE *file = fopen("docs/kernel-interface.md", "r");
	size_t length;

	(void)state;
	assert_non_null(file);
	length = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[length] = '\0';
	for (unsigned i = 0; i < SYSTEM_CALL_COUNT; i++) {
		if (strstr(page, names[i]) == NULL)
			fail_msg("docs/kernel-interface.md lacks a row for %s", names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_interface_names_every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
