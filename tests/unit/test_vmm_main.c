/* vmm/main.c: a VMM that a manager of another release started. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/vmm_spec.h"
#include "tests/fake/program.h"
#include "user/program.h"
#include "vmm/machine.h"
#include "vmm/start.h"
#include "vmm/timers.h"

void start_machine(struct machine *machine, const struct vmm_spec *spec)
{
	(void)machine;
	(void)spec;
	fail_msg("started");
}

void start_vcpus(struct machine *machine)
{
	(void)machine;
}

void timers_serve(struct machine *machine)
{
	(void)machine;
	abort();
}

static void test_vmm_main_refuses_another_release(void **state)
{
	struct vmm_spec spec = {.magic = VMM_SPEC_MAGIC, .version = VMM_SPEC_VERSION + 1, .size_bytes = sizeof(spec)};

	(void)state;
	fake_program_start();
	assert_int_equal(program_main((uintptr_t)&spec), 1);
	assert_string_equal(fake_program_log, "E219 vmm: it and the manager are of different releases; copy the folder system from "
					      "the release again\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmm_main_refuses_another_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
