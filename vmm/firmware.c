/* The ROM: a memory object of the VM's own pool, filled once. */
#include "vmm/firmware.h"

#include "lib/base/string.h"
#include "user/calls.h"
#include "vmm/load/load.h"
#include "vmm/machine.h"
#include "vmm/vcpu_thread.h"

#define ROM_END          0x100000000ULL
#define LOW_END          0x100000ULL
#define ROM_WINDOW       0x400000000000ULL /* in this program; nothing else is mapped near (abi/vmm_spec.h, vmm/start.c) */
#define RESET_VECTOR     16U               /* before the end */
#define JUMP_SHORT       0xebU
#define JUMP_NEAR        0xe9U
#define JUMP_FAR         0xeaU
#define NO_OPERATION     0x90U
#define TWO_BYTE_OPCODE  0x0fU
#define MOVE_FROM_CR     0x20U             /* after it */

#define DATA_SEGMENT   {.limit = 0xffff, .attributes = 0x93} /* read/write, accessed, code or data, present */
#define TABLE_REGISTER {.limit = 0xffff}

const struct vcpu_registers firmware_registers = {
	.gpr = {[GPR_RDX] = 0x600}, /* family 6 */
	.rip = 0xfff0,
	.rflags = 0x2,
	.cr0 = 0x60000010, /* CD, NW, ET */
	.cs = {.selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .attributes = 0x9b},
	.ss = DATA_SEGMENT,
	.ds = DATA_SEGMENT,
	.es = DATA_SEGMENT,
	.fs = DATA_SEGMENT,
	.gs = DATA_SEGMENT,
	.tr = {.limit = 0xffff, .attributes = 0x8b},   /* busy 32-bit TSS */
	.ldtr = {.limit = 0xffff, .attributes = 0x82}, /* LDT */
	.gdtr = TABLE_REGISTER,
	.idtr = TABLE_REGISTER,
};

/* A jump; or a look whether the processor is in protected mode, with which OVMF begins. */
static bool is_first_code(const uint8_t *code)
{
	if (code[0] == TWO_BYTE_OPCODE)
		return code[1] == MOVE_FROM_CR;
	return code[0] == JUMP_SHORT || code[0] == JUMP_NEAR || code[0] == JUMP_FAR;
}

bool firmware_is_rom(const void *image, size_t size_bytes)
{
	const uint8_t *vector;

	if (size_bytes == 0 || size_bytes % FIRMWARE_UNIT_BYTES != 0 || size_bytes > FIRMWARE_MAX_BYTES)
		return false;
	vector = (const uint8_t *)image + size_bytes - RESET_VECTOR;
	for (unsigned i = 0; i < RESET_VECTOR / 2; i++) {
		if (vector[i] != NO_OPERATION)
			return is_first_code(vector + i);
	}
	return false;
}

const struct vmm_file *firmware_of(const struct vmm_spec *spec)
{
	const void *kernel = (const void *)(uintptr_t)spec->kernel.address;

	if (spec->firmware.address != 0)
		return &spec->firmware;
	if (kernel == NULL || load_recognise(kernel, spec->kernel.size_bytes) != IMAGE_UNKNOWN)
		return NULL;
	return firmware_is_rom(kernel, spec->kernel.size_bytes) ? &spec->kernel : NULL;
}

static enum status make_rom(struct machine *machine, const struct vmm_file *file)
{
	const struct vmm_handles *handles = &machine->spec->handles;
	enum status status = memory_create_filled(handles->pool, file->size_bytes, &machine->rom_memory);

	if (status == OK)
		status = space_map_all(handles->space, machine->rom_memory, ROM_WINDOW, 0, file->size_bytes,
				       RIGHT_READ | RIGHT_WRITE);
	if (status != OK)
		return status;
	machine->rom = (struct rom){.bytes = (uint8_t *)ROM_WINDOW, .size_bytes = file->size_bytes};
	memcpy((void *)ROM_WINDOW, (const void *)(uintptr_t)file->address, file->size_bytes);
	return OK;
}

static enum status map_rom(const struct machine *machine, uint32_t rights)
{
	uint64_t size_bytes = machine->rom.size_bytes;

	return vm_map_all(machine->spec->handles.vm, ROM_END - size_bytes, machine->rom_memory, 0, size_bytes, rights);
}

static bool unmap_rom(const struct machine *machine)
{
	uint64_t size_bytes = machine->rom.size_bytes;

	return vm_unmap_all(machine->spec->handles.vm, ROM_END - size_bytes, size_bytes) == OK;
}

/* flash_wires.shows_contents. While another vCPU's thread does it, an access there ends up in the model or gets another try. Ring 0
 * refuses only where the VM is being destroyed. */
static void show_flash(void *ctx, bool shows)
{
	struct machine *machine = ctx;

	if (shows) {
		atomic_store(&machine->flash_is_shown, map_rom(machine, RIGHT_READ | RIGHT_EXECUTE) == OK);
		return;
	}
	atomic_store(&machine->flash_is_shown, false);
	(void)unmap_rom(machine);
}

/* The manager's memory, which stays over restarts, still zeros at the first: what is no firmware in it is replaced by the file. */
static void use_flash(struct machine *machine, const struct vmm_file *file)
{
	const struct vmm_flash *flash = &machine->spec->flash;
	uint8_t *bytes = (uint8_t *)(uintptr_t)flash->address;
	const struct flash_wires wires = {
		.bytes = bytes,
		.size_bytes = (uint32_t)file->size_bytes,
		.shows_contents = show_flash,
		.ctx = machine,
	};

	if (!firmware_is_rom(bytes, file->size_bytes))
		memcpy(bytes, (const void *)(uintptr_t)file->address, file->size_bytes);
	machine->rom_memory = flash->memory;
	machine->rom = (struct rom){.bytes = bytes, .size_bytes = file->size_bytes};
	flash_init(&machine->flash, &wires);
	atomic_store(&machine->flash_is_shown, true);
}

static enum status copy_low(struct machine *machine)
{
	uint64_t size_bytes = machine->rom.size_bytes < FIRMWARE_LOW_BYTES ? machine->rom.size_bytes : FIRMWARE_LOW_BYTES;
	const uint8_t *start = machine->rom.bytes + machine->rom.size_bytes - size_bytes;

	return gmem_write(&machine->gmem, gpa(LOW_END - size_bytes), start, size_bytes);
}

static enum status add_to_gmem(struct machine *machine)
{
	uint64_t size_bytes = machine->rom.size_bytes;
	bool is_flash = machine->flash.wires.size_bytes != 0;

	return gmem_add_rom(&machine->gmem, gpa(ROM_END - size_bytes), size_bytes, (void *)(uintptr_t)machine->rom.bytes,
			    is_flash ? &machine->flash_is_shown : NULL);
}

enum status firmware_place(struct machine *machine, const struct vmm_file *file)
{
	uint64_t most_bytes = FIRMWARE_MAX_BYTES;
	enum status status = OK;

	if ((machine->spec->options & VMM_OPTION_TESTDEV) != 0)
		most_bytes -= TESTDEV_MEMORY_BYTES; /* it lies there */
	if (!firmware_is_rom((const void *)(uintptr_t)file->address, file->size_bytes) || file->size_bytes > most_bytes)
		return ERR_INVALID;
	if (machine->spec->flash.address != 0 && file->size_bytes <= machine->spec->flash.size_bytes)
		use_flash(machine, file);
	else
		status = make_rom(machine, file);
	if (status == OK)
		status = map_rom(machine, RIGHT_READ | RIGHT_EXECUTE);
	if (status == OK)
		status = add_to_gmem(machine);
	if (status == OK)
		status = copy_low(machine);
	return status == OK ? machine_attach_firmware(machine, ROM_END - file->size_bytes) : status;
}

/* While one vCPU's thread does it, others find no ROM there, and try again. */
static bool become_ram(struct machine *machine)
{
	if (atomic_exchange(&machine->rom_is_ram, true))
		return true;
	return unmap_rom(machine) && map_rom(machine, RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE) == OK;
}

/* Another vCPU had it show something else, and it shows its contents by now. */
static bool flash_shows(struct machine *machine)
{
	bool shows;

	lock_acquire(&machine->locks[LOCK_FLASH]);
	shows = atomic_load(&machine->flash_is_shown);
	lock_release(&machine->locks[LOCK_FLASH]);
	return shows;
}

bool firmware_settles(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct vcpu_exit *exit = &vcpu->state->exit;

	if (exit->gpa >= ROM_END || exit->gpa < ROM_END - machine->rom.size_bytes)
		return false;
	vcpu->reply->action = VCPU_REPLY_NONE;
	if (machine->flash.wires.size_bytes != 0)
		return (exit->access & VCPU_ACCESS_WRITE) == 0 && flash_shows(machine);
	return (exit->access & VCPU_ACCESS_WRITE) == 0 ? atomic_load(&machine->rom_is_ram) : become_ram(machine);
}
