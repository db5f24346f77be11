/* From the loader's jump to the first program. The steps are a list; one that fails says why and leaves the message on
 * the screen. */
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "kernel/apic.h"
#include "kernel/boot_state.h"
#include "kernel/chunks.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/emergency_console.h"
#include "kernel/first_program.h"
#include "kernel/hypervisor.h"
#include "kernel/irq.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/panic_internal.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/program_pages.h"
#include "kernel/reaper.h"
#include "kernel/scheduler.h"
#include "kernel/selftest.h"
#include "kernel/smp.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"

/* What the loader looks for: it and this kernel must mean the same struct boot_info. */
static const struct {
	uint32_t name_bytes, descriptor_bytes, type;
	char name[12];
	uint32_t boot_info_version;
} boot_note __attribute__((used, section(".note.bulkhead"), aligned(4))) = {
	.name_bytes = sizeof(BOOT_NOTE_NAME),
	.descriptor_bytes = 4,
	.type = BOOT_NOTE_TYPE,
	.name = BOOT_NOTE_NAME,
	.boot_info_version = BOOT_INFO_VERSION,
};

static struct percpu boot_cpu = {.inbox_lock = {.rank = RANK_INBOX}};

/* The boot stack; its head makes percpu_self() work from the first instruction. */
static struct {
	uint8_t bytes[KERNEL_STACK_BYTES - sizeof(struct stack_head)];
	struct stack_head head;
} boot_stack __attribute__((aligned(KERNEL_STACK_BYTES), used)) = {.head = {.cpu = &boot_cpu}};
extern struct stack_head boot_stack_top __attribute__((visibility("hidden")));
__asm__(".globl boot_stack_top\n.hidden boot_stack_top\n.set boot_stack_top, boot_stack + 0x4000 - 32");

extern void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp);
_Noreturn void kernel_main(const struct boot_info *boot);

/* The loaders compare versions, by the note, before they start the kernel (E503). */
static enum status check_boot_info(void)
{
	ASSERT(boot_info->magic == BOOT_INFO_MAGIC && boot_info->version == BOOT_INFO_VERSION &&
	       boot_info->size_bytes == sizeof(struct boot_info));
	return OK;
}

static enum status init_memory(void)
{
	enum status status;

	cpu_features_read();
	kernel_map_init(boot_info);
	status = chunks_init(boot_info, root_pool);
	if (status != OK) {
		log_error("E603 too little memory: %lu MiB usable; fit more: 256 MiB is the least that is supported",
			  chunks_total_bytes() >> 20);
		return status;
	}
	kernel_map_make_shared(boot_info->ram_end_physical - 1);
	emergency_screen_init(&boot_info->framebuffer);
	return OK;
}

static enum status init_boot_cpu(void)
{
	enum status status = cpu_tables_create(&boot_cpu);

	if (status != OK)
		return status;
	cpu_load_tables(&boot_cpu);
	cpu_load_registers(&boot_cpu);
	kernel_map_cpu_windows(&boot_cpu);
	percpus[0] = &boot_cpu;
	percpu_count = 1;
	boot_cpu.online = true;
	return OK;
}

static enum status init_interrupts(void)
{
	apic_init(!boot_info->forbid_x2apic);
	tsc_hz = boot_info->tsc_hz;
	apic_cpu_start();
	apic_timer_calibrate();
	boot_cpu.apic_id = apic_id();
	irq_init(&boot_info->pc);
	return OK;
}

static enum status init_threads(void)
{
	struct thread *idle;
	enum status status = thread_create(root_pool, NULL, NULL, &boot_cpu, &idle);

	if (status != OK)
		return status;
	status = scheduler_cpu_start(&boot_cpu, idle);
	if (status != OK)
		return status;
	cpu_set_entry_stack(&boot_cpu, idle->stack_top);
	boot_stack.head.thread = idle;
	return OK;
}

static enum status init_cpus(void)
{
	hypervisor_cpu_start(&boot_cpu);
	smp_start(boot_info);
	hypervisor_ready();
	return OK;
}

static enum status init_programs(void)
{
	enum status status = program_pages_init(boot_info->wall_clock_seconds, boot_info->wall_clock_tsc);

	if (status == OK)
		status = reaper_start();
	log_echo_may_wait();
	selftest_run();
	return status == OK ? first_program_start(boot_info) : status;
}

static const struct {
	const char *name;
	enum status (*run)(void);
} boot_steps[] = {
	{"boot information", check_boot_info},
	{"memory", init_memory},
	{"boot CPU", init_boot_cpu},
	{"interrupts", init_interrupts},
	{"threads", init_threads},
	{"CPUs", init_cpus},
	{"programs", init_programs},
};

void kernel_main(const struct boot_info *boot)
{
	uint64_t unused;

	boot_info = boot;
	emergency_serial_init();
	for (unsigned i = 0; i < sizeof(boot_steps) / sizeof(boot_steps[0]); i++) {
		enum status status = boot_steps[i].run();

		if (status != OK) {
			log_error("E621 boot stopped at step \"%s\" (status %d); the line above says why. "
				  "Switch the PC off and on.", boot_steps[i].name, (int)status);
			panic_stop_this_cpu();
		}
	}
	/* From here on this CPU idles on its own stack; the boot stack is not used again. */
	switch_stacks(&unused, boot_cpu.idle->saved_rsp);
	panic_stop_this_cpu();
}
