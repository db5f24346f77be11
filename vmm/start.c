/* The steps of a VM's start, each of which succeeds or refuses the VM with a message. */
#include "vmm/start.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/cpuid_insn.h"
#include "vmm/acpi/tables.h"
#include "vmm/firmware.h"
#include "vmm/fw_cfg_items.h"
#include "vmm/load/load.h"
#include "vmm/machine.h"
#include "vmm/memory_map.h"
#include "vmm/report.h"
#include "vmm/vcpu_thread.h"
#include "vmm/virtio_devices.h"

/* Two pages of each vCPU; nothing else is mapped near (abi/vmm_spec.h, user/layout.h). */
#define VCPU_PAGES_BASE 0x600000000000ULL
#define VCPU_PAGES_STEP 0x2000ULL
#define RAM_RIGHTS      (RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)
/* At FF53h of segment F000h PCs have their IRET, and at FFF0h their first instruction. */
#define DUMMY_HANDLER     0xfff53U
#define RESET_VECTOR      0xffff0U
#define REAL_MODE_VECTORS 256U
#define CPUID_EXTENDED     0x80000000U
#define CPUID_ADDRESS_BITS 0x80000008U
#define ADDRESS_BITS_LEAST 36U
#define ADDRESS_BITS_MOST  46U /* virt/guest_map.c */
#define GIB_SHIFT          30U
#define ALL_GROUPS      (VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS)

/* Large, points into itself, and needed until the guest runs. */
static struct load_plan plan;
/* The device shows it while the guest runs. */
static struct fw_cfg_contents fw_cfg_contents;

static void refuse_setup(struct machine *machine, enum status status, const char *what)
{
	report_refused(machine, "E218 %s: %s (status %u); %s", machine->spec->name, what, status,
		       status == ERR_NO_MEMORY ? "lower the memory of VMs in bulkhead.toml"
					       : "a defect of Bulkhead: report it with the log");
}

static void set_up_memory(struct machine *machine, struct memory_map *map)
{
	const struct vmm_spec *spec = machine->spec;

	if (memory_map_make(spec->memory_bytes, map) != OK)
		report_refused(machine, "E213 %s: memory of %llu bytes is too little for a PC; raise the VM's memory to 2M or more",
			       spec->name, (unsigned long long)spec->memory_bytes);
	for (size_t i = 0; i < map->piece_count; i++) {
		const struct memory_piece *piece = &map->pieces[i];
		void *host = (void *)(uintptr_t)(spec->guest_memory_address + piece->offset_bytes);
		enum status status = gmem_add_slot(&machine->gmem, gpa(piece->gpa), piece->length_bytes, host);

		if (status == OK)
			status = vm_map_all(spec->handles.vm, piece->gpa, spec->handles.guest_memory, piece->offset_bytes,
					    piece->length_bytes, RAM_RIGHTS);
		if (status != OK)
			refuse_setup(machine, status, "its memory cannot be mapped");
	}
}

static uint32_t acpi_features(const struct vmm_spec *spec)
{
	uint32_t features = GUEST_ACPI_COMS | GUEST_ACPI_I8042 | GUEST_ACPI_RTC | GUEST_ACPI_PCI | GUEST_ACPI_ECAM;

	return (spec->options & VMM_OPTION_HPET) != 0 ? features | GUEST_ACPI_HPET : features;
}

/* Where a CPU's physical addresses end, which the guest sees in its CPUID too, and those that the kernel maps for a guest. */
static uint32_t address_end_gib(void)
{
	bool is_told = cpuid_eax(CPUID_EXTENDED) >= CPUID_ADDRESS_BITS;
	uint32_t bits = is_told ? cpuid_eax(CPUID_ADDRESS_BITS) & 0xff : ADDRESS_BITS_LEAST;

	return 1U << ((bits > ADDRESS_BITS_MOST ? ADDRESS_BITS_MOST : bits) - GIB_SHIFT);
}

static struct guest_acpi_config acpi_config(const struct machine *machine)
{
	return (struct guest_acpi_config){
		.physical = GUEST_ACPI_PHYSICAL,
		.vcpu_count = machine->vcpu_count,
		.ioapic_id = machine->ioapic.state.id,
		.features = acpi_features(machine->spec),
		.low_memory_end = (uint32_t)memory_map_low_end(machine->spec->memory_bytes),
		.high_window_first_gib = memory_map_high_window_gib(machine->spec->memory_bytes),
		.high_window_end_gib = address_end_gib(),
	};
}

static uint64_t write_acpi_tables(struct machine *machine)
{
	const struct guest_acpi_config config = acpi_config(machine);
	struct guest_acpi_layout layout;
	uint8_t *tables = gmem_for_boot_image(&machine->gmem, gpa(GUEST_ACPI_PHYSICAL), GUEST_ACPI_MAX_BYTES);
	enum status status = tables == NULL ? ERR_OUT_OF_RANGE
					    : guest_acpi_build(&config, tables, GUEST_ACPI_MAX_BYTES, &layout);

	if (status != OK)
		refuse_setup(machine, status, "its ACPI tables cannot be built");
	machine->facs_physical = layout.facs_physical;
	return layout.rsdp_physical;
}

static void write_low(struct machine *machine, uint32_t address, const void *bytes, size_t len_bytes)
{
	void *place = gmem_for_boot_image(&machine->gmem, gpa(address), len_bytes);

	if (place == NULL)
		refuse_setup(machine, ERR_OUT_OF_RANGE, "it has no low memory");
	memcpy(place, bytes, len_bytes);
}

/* What real-mode code finds of a PC's firmware: interrupts whose handlers do nothing, and the place where firmware begins: who
 * jumps there, as boot loaders do, wants a reset. A program that lies at 0 itself is loaded over it. */
static void write_firmware_stubs(struct machine *machine)
{
	static const uint8_t reset[] = {
		0xba, 0xf9, 0x0c, /* mov dx, 0cf9h */
		0xb0, 0x06,       /* mov al, 6: reset the processor */
		0xee,             /* out dx, al */
		0xf4,             /* hlt */
		0xeb, 0xfd,       /* jmp to the hlt */
	};
	static const uint8_t iret = 0xcf;
	const uint16_t vector[] = {DUMMY_HANDLER & 0xffff, DUMMY_HANDLER >> 4 & 0xf000};

	for (uint32_t i = 0; i < REAL_MODE_VECTORS; i++)
		write_low(machine, i * sizeof(vector), vector, sizeof(vector));
	write_low(machine, DUMMY_HANDLER, &iret, sizeof(iret));
	write_low(machine, RESET_VECTOR, reset, sizeof(reset));
}

static const void *file_bytes(const struct vmm_file *file)
{
	return file->address == 0 ? NULL : (const void *)(uintptr_t)file->address;
}

/* The manager's module_count is at most VMM_MODULES_MAX. */
static size_t list_modules(const struct vmm_spec *spec, struct load_module modules[VMM_MODULES_MAX])
{
	for (uint32_t i = 0; i < spec->module_count; i++)
		modules[i] = (struct load_module){
			.bytes = (const void *)(uintptr_t)spec->modules[i].address,
			.size_bytes = spec->modules[i].size_bytes,
			.text = spec->modules[i].text,
		};
	return spec->module_count;
}

static struct load_request describe_load(const struct vmm_spec *spec, const struct memory_map *map,
					 struct load_module modules[VMM_MODULES_MAX])
{
	return (struct load_request){
		.kernel = file_bytes(&spec->kernel),
		.kernel_bytes = spec->kernel.size_bytes,
		.kernel_path = spec->kernel.path,
		.initrd = file_bytes(&spec->initrd),
		.initrd_bytes = spec->initrd.size_bytes,
		.initrd_path = spec->initrd.path,
		.modules = modules,
		.module_count = list_modules(spec, modules),
		.command_line = spec->command_line,
		.e820 = map->e820,
		.e820_count = map->e820_count,
		.memory_bytes = spec->memory_bytes,
	};
}

static void load_image(struct machine *machine, const struct load_request *request)
{
	const struct vmm_spec *spec = machine->spec;
	struct load_problem problem;
	char text[VMM_TEXT_BYTES];

	if (load_make_plan(request, &plan, &problem) != OK) {
		load_describe(&problem, spec->name, spec->kernel.path, text, sizeof(text));
		report_refused(machine, "%s", text);
	}
	if (load_apply(&plan, &machine->gmem) != OK)
		refuse_setup(machine, ERR_OUT_OF_RANGE, "its image does not lie in its memory");
}

static void start_by_firmware(struct machine *machine, const struct vmm_file *file)
{
	enum status status = firmware_place(machine, file);

	if (status == ERR_INVALID)
		report_refused(machine, "E231 %s: %s is not a PC's firmware: its size is no multiple of 64 KiB up to 16 MiB, or "
			       "there is no jump at its reset vector; correct firmware", machine->spec->name, file->path);
	if (status != OK)
		refuse_setup(machine, status, "its firmware cannot be mapped");
	plan.registers = firmware_registers;
}

/* Firmware has chosen a place for PCI Express configuration space when it fetches tables. */
static void update_tables(void *ctx)
{
	const struct machine *machine = ctx;

	fw_cfg_move_ecam(&fw_cfg_contents, pci_decode_base(&machine->pci_decode, machine->ecam_window),
			 atomic_load_explicit(&machine->ecam_bytes, memory_order_relaxed));
}

static void fill_fw_cfg(struct machine *machine, const struct memory_map *map, const struct load_request *request)
{
	const struct guest_acpi_config acpi = acpi_config(machine);
	const struct fw_cfg_config config = {
		.acpi = &acpi,
		.load = request,
		.low_memory_end = map->low_end,
		.has_firmware = machine->rom.size_bytes != 0,
	};
	enum status status = fw_cfg_make_items(&config, &fw_cfg_contents);

	/* Without firmware nobody needs it to boot: what does not fit is left out. */
	if (status != OK && config.has_firmware)
		refuse_setup(machine, status, "its firmware configuration does not fit");
	fw_cfg_set_items(&machine->fw_cfg, fw_cfg_contents.items, fw_cfg_contents.item_count);
	machine->fw_cfg.wires.selected = update_tables;
}

static void create_vcpu(struct machine *machine, uint32_t index)
{
	struct machine_vcpu *vcpu = &machine->vcpus[index];
	const struct vcpu_config config = {
		.state_address = VCPU_PAGES_BASE + index * VCPU_PAGES_STEP,
		.reply_address = VCPU_PAGES_BASE + index * VCPU_PAGES_STEP + VCPU_PAGES_STEP / 2,
		.index = index,
		.is_bootstrap = index == 0,
	};
	enum status status = sys_vcpu_create(machine->spec->handles.vm, &config, &vcpu->handle);

	if (status == OK && index == 0)
		status = sys_vcpu_set_state(vcpu->handle, ALL_GROUPS, &plan.registers);
	if (status != OK)
		refuse_setup(machine, status, "a vCPU cannot be created");
	vcpu->machine = machine;
	vcpu->index = index;
	vcpu->state = (const struct vcpu_state *)(uintptr_t)config.state_address;
	vcpu->reply = (struct vcpu_reply *)(uintptr_t)config.reply_address;
	vcpu->retried_rip = UINT64_MAX;
}

static void make_virtio_devices(struct machine *machine)
{
	const char *what = "";
	unsigned index = 0;
	enum status status = virtio_devices_make(machine, &what, &index);

	if (status == OK)
		return;
	report_refused(machine, "E240 %s: %s %u cannot be made (status %u); %s", machine->spec->name, what, index + 1, status,
		       status == ERR_NO_SPACE    ? "the VM has more devices than its PCI bus has room for: take some away"
		       : status == ERR_NO_MEMORY ? "lower the memory of VMs in bulkhead.toml"
						 : "a defect of Bulkhead: report it with the log");
}

/* What time it is at guest time 0; 1970 where nobody knows. */
static int64_t wall_clock_seconds(const struct machine *machine)
{
	const struct program_info *info = program_info();

	if (info->wall_clock_seconds < 0)
		return 0;
	return info->wall_clock_seconds + (int64_t)((machine->start_tsc - info->wall_clock_tsc) / info->tsc_hz);
}

void start_machine(struct machine *machine, const struct vmm_spec *spec)
{
	struct memory_map map;
	struct load_module modules[VMM_MODULES_MAX];
	const struct vmm_file *firmware = firmware_of(spec);
	struct load_request request;
	enum status status;

	machine->spec = spec;
	machine->report = (struct vmm_report *)(uintptr_t)spec->report_address;
	machine->tsc_hz = program_info()->tsc_hz;
	machine->start_tsc = clock_now_ticks();
	machine->vcpu_count = spec->vcpu_count;
	machine->threads = (struct thread_maker){.space = spec->handles.space, .pool = spec->handles.pool};
	if (spec->vcpu_count == 0 || spec->vcpu_count > MACHINE_VCPUS_MAX)
		refuse_setup(machine, ERR_OUT_OF_RANGE, "it has no vCPUs or too many");
	terminal_init(&machine->terminal, spec);
	status = machine_build(machine, wall_clock_seconds(machine));
	if (status != OK)
		refuse_setup(machine, status, "its devices overlap");
	set_up_memory(machine, &map);
	make_virtio_devices(machine);
	status = regions_make(machine);
	if (status != OK)
		refuse_setup(machine, status, "its shared memory cannot be placed");
	request = describe_load(spec, &map, modules);
	if (firmware != NULL) {
		start_by_firmware(machine, firmware);
		request.kernel = firmware == &spec->kernel ? NULL : request.kernel;
	} else {
		request.rsdp_address = write_acpi_tables(machine);
		write_firmware_stubs(machine);
		load_image(machine, &request);
	}
	fill_fw_cfg(machine, &map, &request);
	for (uint32_t i = 0; i < machine->vcpu_count; i++)
		create_vcpu(machine, i);
}

void start_vcpus(struct machine *machine)
{
	enum status status = virtio_devices_start(machine);

	if (status == OK)
		status = regions_start(machine);
	if (status != OK)
		refuse_setup(machine, status, "a device's thread cannot be started");
	report_running(machine);
	for (uint32_t i = 0; i < machine->vcpu_count; i++) {
		char name[16];

		(void)format_text(name, sizeof(name), "vcpu%u", i);
		status = thread_create(&machine->threads, name, vcpu_thread, &machine->vcpus[i], machine->spec->cpu_mask);
		if (status != OK)
			refuse_setup(machine, status, "a vCPU's thread cannot be started");
	}
}
