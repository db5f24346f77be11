/* Begin and end of a program. */
#include "user/program.h"

#include "user/calls.h"

_Noreturn void program_begin(uint64_t argument);

_Noreturn void program_begin(uint64_t argument)
{
	sys_thread_exit((uint64_t)program_main(argument), true);
}
