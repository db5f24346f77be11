/* The stub is machine code, chosen by what the CPU can do; programs only know its address. */
#include "kernel/program_pages.h"

#include <stdint.h>

#include "abi/syscall.h"
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/space.h"
#include "kernel/timer.h"

static uint64_t stub_physical, info_physical; /* constant after program_pages_init() */

/* mov rcx, rsp; lea rdx, [rip + 2]; sysenter; ret: SYSEXIT returns to RDX with RSP = RCX. */
static const uint8_t sysenter_stub[] = {0x48, 0x89, 0xe1, 0x48, 0x8d, 0x15, 2, 0, 0, 0, 0x0f, 0x34, 0xc3};
/* push r12; mov r12, r11; mov rdx, rsp; syscall; pop r12; ret: SYSCALL overwrites RCX and R11. */
static const uint8_t syscall_stub[] = {0x41, 0x54, 0x4d, 0x89, 0xdc, 0x48, 0x89, 0xe2, 0x0f, 0x05, 0x41, 0x5c, 0xc3};

enum status program_pages_init(int64_t wall_clock_seconds, uint64_t wall_clock_tsc)
{
	struct program_info info = {
		.tsc_hz = tsc_hz,
		.wall_clock_seconds = wall_clock_seconds,
		.wall_clock_tsc = wall_clock_tsc,
		.cpu_count = percpu_count,
	};

	stub_physical = pool_frames_alloc(root_pool, 1);
	info_physical = pool_frames_alloc(root_pool, 1);
	if (stub_physical == 0 || info_physical == 0)
		return ERR_NO_MEMORY;
	frames_zero(stub_physical, PAGE_SIZE_BYTES);
	frames_zero(info_physical, PAGE_SIZE_BYTES);
	if (cpu_features.sysenter)
		frame_write(stub_physical, sysenter_stub, sizeof(sysenter_stub));
	else
		frame_write(stub_physical, syscall_stub, sizeof(syscall_stub));
	frame_write(info_physical, &info, sizeof(info));
	return OK;
}

enum status program_pages_map(struct space *space)
{
	enum status status = space_map_frame(space, STUB_PAGE, stub_physical, RIGHT_READ | RIGHT_EXECUTE, true);

	if (status == OK)
		status = space_map_frame(space, PROGRAM_INFO, info_physical, RIGHT_READ, true);
	return status;
}
