/* One function for each group of items. What does not fit leaves a mark that the end looks at. */
#include "vmm/fw_cfg_items.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "vmm/acpi/builder.h"

/* Keys without a name of their own (QEMU, include/standard-headers/linux/qemu_fw_cfg.h). */
#define KEY_SIGNATURE     0x00U
#define KEY_ID            0x01U
#define KEY_RAM_SIZE      0x03U
#define KEY_NB_CPUS       0x05U
#define KEY_KERNEL_ADDR   0x07U
#define KEY_KERNEL_SIZE   0x08U
#define KEY_INITRD_ADDR   0x0aU
#define KEY_INITRD_SIZE   0x0bU
#define KEY_MAX_CPUS      0x0fU
#define KEY_KERNEL_DATA   0x11U
#define KEY_INITRD_DATA   0x12U
#define KEY_CMDLINE_ADDR  0x13U
#define KEY_CMDLINE_SIZE  0x14U
#define KEY_CMDLINE_DATA  0x15U
#define KEY_SETUP_ADDR    0x16U
#define KEY_SETUP_SIZE    0x17U
#define KEY_SETUP_DATA    0x18U
#define KEY_FILE_DIR      0x19U
#define KEY_FILE_FIRST    0x20U
#define KEY_IRQ0_OVERRIDE 0x8002U

#define ID_PORTS_AND_DMA  3U
#define COM1_PORT         0x3f8U
#define NEVER             0xffffffffU

/* Where a loader that is told nothing else puts a kernel of the boot protocol 2.02 and later. */
#define SETUP_ADDRESS     0x10000U
#define CMDLINE_ADDRESS   0x20000U
#define CODE_ADDRESS      0x100000U
#define FIRMWARE_OWN      0x100000U /* below the end of RAM, for firmware's tables */
#define PAGE_MASK         0xfffULL

/* Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". */
#define HEADER_TYPE_OF_LOADER 0x210U
#define HEADER_LOADFLAGS      0x211U
#define HEADER_RAMDISK_IMAGE  0x218U
#define HEADER_RAMDISK_SIZE   0x21cU
#define HEADER_HEAP_END       0x224U
#define HEADER_CMD_LINE       0x228U
#define HEADER_END            0x22cU
#define LOADER_UNDEFINED      0xffU
#define LOADFLAGS_USE_HEAP    0x80U
#define HEAP_END              (uint16_t)(CMDLINE_ADDRESS - SETUP_ADDRESS - 0x200U)

static void store_big32(uint8_t *at, uint32_t value)
{
	acpi_store32(at, __builtin_bswap32(value));
}

static void add_item(struct fw_cfg_contents *out, uint32_t key, const void *bytes, uint64_t size_bytes)
{
	if (out->item_count == FW_CFG_ITEMS_MAX || size_bytes > UINT32_MAX) {
		out->overflowed = true;
		return;
	}
	out->items[out->item_count++] = (struct fw_cfg_item){
		.key = (uint16_t)key, .size_bytes = (uint32_t)size_bytes, .bytes = bytes};
}

/* A place for a number that lasts. */
static uint64_t *keep(struct fw_cfg_contents *out, uint64_t value)
{
	if (out->number_count == FW_CFG_NUMBERS_MAX) {
		out->overflowed = true;
		out->number_count = 0;
	}
	out->numbers[out->number_count] = value;
	return &out->numbers[out->number_count++];
}

static void add_number(struct fw_cfg_contents *out, uint32_t key, uint64_t value, uint32_t size_bytes)
{
	add_item(out, key, keep(out, value), size_bytes);
}

/* Directory entry: size and key big-endian, 2 bytes reserved, name. */
static void add_file(struct fw_cfg_contents *out, const char *name, const void *bytes, uint64_t size_bytes)
{
	uint32_t key = KEY_FILE_FIRST + (uint32_t)out->file_count;
	uint8_t *entry = out->directory + 4 + out->file_count * (FW_CFG_NAME_BYTES + 8);

	if (out->file_count == FW_CFG_FILES_MAX) {
		out->overflowed = true;
		return;
	}
	out->file_count++;
	store_big32(entry, (uint32_t)size_bytes);
	acpi_store16(entry + 4, __builtin_bswap16((uint16_t)key));
	(void)format_text((char *)entry + 8, FW_CFG_NAME_BYTES, "%s", name);
	add_item(out, key, bytes, size_bytes);
}

static void add_file_number(struct fw_cfg_contents *out, const char *name, uint64_t value, uint32_t size_bytes)
{
	add_file(out, name, keep(out, value), size_bytes);
}

static void add_platform(const struct fw_cfg_config *config, struct fw_cfg_contents *out)
{
	/* By ACPI state: 80h for those that there are, with what goes into SLP_TYP. */
	static const uint8_t system_states[6] = {0x80, 0, 0, 0, 0, 0x80 | GUEST_S5_SLEEP_TYPE};
	uint32_t vcpu_count = config->acpi->vcpu_count;

	add_item(out, KEY_SIGNATURE, "QEMU", 4);
	add_number(out, KEY_ID, ID_PORTS_AND_DMA, 4);
	add_number(out, KEY_RAM_SIZE, config->load->memory_bytes, 8);
	add_number(out, KEY_NB_CPUS, vcpu_count, 2);
	add_number(out, KEY_MAX_CPUS, vcpu_count, 2);
	add_number(out, KEY_IRQ0_OVERRIDE, 1, 1);
	add_file_number(out, "etc/boot-cpus", vcpu_count, 2);
	add_file(out, "etc/system-states", system_states, sizeof(system_states));
	add_file_number(out, "etc/boot-fail-wait", NEVER, 4);
	add_file_number(out, "etc/sercon-port", COM1_PORT, 4);
	add_file_number(out, "etc/screen-and-debug", 0, 4); /* else port 402h repeats what the serial console prints */
}

/* RAM only, as QEMU has it: what else lies where is the firmware's own to say. */
static void add_e820(const struct fw_cfg_config *config, struct fw_cfg_contents *out)
{
	struct bzimage_e820 *ram = out->ram;
	const struct load_request *load = config->load;
	uint64_t high_bytes = load->memory_bytes - config->low_memory_end;

	ram[0] = (struct bzimage_e820){.base = 0, .length_bytes = config->low_memory_end, .type = LOAD_E820_USABLE};
	ram[1] = (struct bzimage_e820){.base = 1ULL << 32, .length_bytes = high_bytes, .type = LOAD_E820_USABLE};
	add_file(out, "etc/e820", ram, high_bytes == 0 ? sizeof(ram[0]) : 2 * sizeof(ram[0]));
}

static enum status add_acpi(const struct fw_cfg_config *config, struct fw_cfg_contents *out)
{
	struct guest_acpi_config acpi = *config->acpi;
	struct guest_acpi_layout *layout = &out->layout;
	enum status status;

	acpi.physical = 0;
	status = guest_acpi_build(&acpi, out->tables, sizeof(out->tables), layout);
	if (status == OK)
		status = acpi_loader_make(out->tables, layout->used_bytes, layout->rsdp_physical, &out->loader);
	if (status != OK)
		return status;
	out->ecam_base = GUEST_ECAM_BASE;
	out->ecam_bytes = GUEST_ECAM_BYTES;
	add_file(out, ACPI_LOADER_TABLES_NAME, out->tables, layout->used_bytes);
	add_file(out, ACPI_LOADER_RSDP_NAME, out->loader.rsdp, sizeof(out->loader.rsdp));
	add_file(out, ACPI_LOADER_COMMANDS_NAME, out->loader.commands, out->loader.command_count * ACPI_LOADER_COMMAND_BYTES);
	return OK;
}

void fw_cfg_move_ecam(struct fw_cfg_contents *contents, uint64_t base, uint64_t size_bytes)
{
	if (base == contents->ecam_base && size_bytes == contents->ecam_bytes)
		return;
	contents->ecam_base = base;
	contents->ecam_bytes = size_bytes;
	guest_acpi_move_ecam(contents->tables, &contents->layout, base, size_bytes);
}

/* As high as kernel and memory allow; 0 where it does not fit, which a loader then sees. */
static uint64_t initrd_address(const struct fw_cfg_config *config, const struct bzimage *image)
{
	uint64_t end = config->low_memory_end - FIRMWARE_OWN;
	uint64_t size_bytes = config->load->initrd == NULL ? 0 : config->load->initrd_bytes;

	if (end > image->initrd_last)
		end = image->initrd_last + 1;
	return size_bytes == 0 || size_bytes > end ? 0 : (end - size_bytes) & ~PAGE_MASK;
}

/* A boot loader of 16-bit code takes the real-mode part as it is: its header says where all the rest will be. */
static void add_setup(const struct fw_cfg_config *config, const struct bzimage *image, struct fw_cfg_contents *out)
{
	const struct load_request *load = config->load;
	uint64_t initrd = initrd_address(config, image);
	size_t bytes = image->code_offset;

	if (bytes > sizeof(out->setup) || bytes < HEADER_END) {
		out->overflowed = true;
		return;
	}
	memcpy(out->setup, load->kernel, bytes);
	out->setup[HEADER_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	out->setup[HEADER_LOADFLAGS] |= LOADFLAGS_USE_HEAP;
	acpi_store32(out->setup + HEADER_RAMDISK_IMAGE, (uint32_t)initrd);
	acpi_store32(out->setup + HEADER_RAMDISK_SIZE, (uint32_t)(initrd == 0 ? 0 : load->initrd_bytes));
	acpi_store16(out->setup + HEADER_HEAP_END, HEAP_END);
	acpi_store32(out->setup + HEADER_CMD_LINE, CMDLINE_ADDRESS);
	add_number(out, KEY_SETUP_ADDR, SETUP_ADDRESS, 4);
	add_number(out, KEY_SETUP_SIZE, bytes, 4);
	add_item(out, KEY_SETUP_DATA, out->setup, bytes);
	add_number(out, KEY_INITRD_ADDR, initrd, 4);
}

/* A kernel that is no bzImage is one piece without a real-mode part. */
static void add_kernel(const struct fw_cfg_config *config, struct fw_cfg_contents *out)
{
	const struct load_request *load = config->load;
	uint64_t command_line_bytes = strlen(load->command_line) + 1;
	struct bzimage image = {.code_offset = 0};
	struct bzimage_problem problem;

	if (load->kernel == NULL)
		return;
	if (bzimage_parse(load->kernel, load->kernel_bytes, load->kernel_bytes, &image, &problem) == OK)
		add_setup(config, &image, out);
	add_number(out, KEY_KERNEL_ADDR, image.code_offset != 0 ? CODE_ADDRESS : 0, 4);
	add_number(out, KEY_KERNEL_SIZE, load->kernel_bytes - image.code_offset, 4);
	add_item(out, KEY_KERNEL_DATA, (const uint8_t *)load->kernel + image.code_offset, load->kernel_bytes - image.code_offset);
	add_number(out, KEY_CMDLINE_ADDR, CMDLINE_ADDRESS, 4);
	add_number(out, KEY_CMDLINE_SIZE, command_line_bytes, 4);
	add_item(out, KEY_CMDLINE_DATA, load->command_line, command_line_bytes);
	if (load->initrd == NULL)
		return;
	add_number(out, KEY_INITRD_SIZE, load->initrd_bytes, 4);
	add_item(out, KEY_INITRD_DATA, load->initrd, load->initrd_bytes);
}

/* "qemu/linuxboot_dma.bin words": the name is what stands between the last slash and the first space. */
static void add_option_rom(const struct load_module *module, struct fw_cfg_contents *out)
{
	const char *start = module->text, *end = module->text;
	char name[FW_CFG_NAME_BYTES];

	for (; *end != '\0' && *end != ' '; end++) {
		if (*end == '/')
			start = end + 1;
	}
	(void)format_text(name, sizeof(name), "genroms/%.*s", (int)(end - start), start);
	add_file(out, name, module->bytes, module->size_bytes);
}

enum status fw_cfg_make_items(const struct fw_cfg_config *config, struct fw_cfg_contents *out)
{
	enum status status;

	memset(out, 0, sizeof(*out));
	add_platform(config, out);
	add_e820(config, out);
	status = add_acpi(config, out);
	if (status != OK)
		return status;
	add_kernel(config, out);
	for (size_t i = 0; config->has_firmware && i < config->load->module_count; i++)
		add_option_rom(&config->load->modules[i], out);
	store_big32(out->directory, (uint32_t)out->file_count);
	add_item(out, KEY_FILE_DIR, out->directory, 4 + out->file_count * (FW_CFG_NAME_BYTES + 8));
	return out->overflowed ? ERR_NO_SPACE : OK;
}
