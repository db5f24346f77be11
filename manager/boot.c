/* From the manager's first instruction to running VMs. */
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/firmware_tables.h"
#include "manager/manager.h"
#include "manager/manifest_source.h"
#include "manager/pci_quiesce.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"

#define VERSION_TEXT    "0.1"
#define REPORT_BYTES    2048U
#define CODE_CHARACTERS 4 /* "E401" */

void manager_sleep_ms(struct manager *manager, uint64_t ms)
{
	uint64_t deadline = clock_deadline_in_ms(ms);
	uint64_t bits;

	while (clock_now_ticks() < deadline) {
		if (sys_event_wait(manager->sleep_event, deadline, &bits) != OK)
			return;
	}
}

static void wait_for_hardware(void *context, uint64_t ms)
{
	manager_sleep_ms(context, ms);
}

static void greet(const struct host_info *info)
{
	log_print("Bulkhead " VERSION_TEXT ": %u CPU%s (%s), %lu MiB of memory", info->cpu_count, info->cpu_count == 1 ? "" : "s",
		  info->cpu_name, info->memory_bytes >> 20);
}

/* A PC without a power button that can be used is no error. */
static void start_power(struct manager *manager)
{
	struct power *power = &manager->power;
	const struct power_tables *tables = &power->tables;

	*power = (struct power){.ports = &host_ports, .wait_ms = wait_for_hardware, .context = manager};
	power->has_tables = firmware_read_power(manager->host.info->rsdp_physical, &power->tables) == OK;
	if (!power_has_button(power) || power_enable_acpi(power) != OK)
		return;
	if (sys_irq_create(MANAGER_HANDLE_HOST, MANAGER_HANDLE_POOL, tables->fadt.sci_irq,
			   tables->sci_is_isa_route ? IRQ_ISA : 0, manager->event, MANAGER_EVENT_POWER_BUTTON,
			   &manager->sci) != OK) {
		manager->sci = HANDLE_NONE;
		return;
	}
	power_enable_button(power);
	sys_irq_ack(manager->sci);
}

static void stop_dma(void)
{
	struct pci_quiesce_result result = pci_quiesce(&host_ports);
	char words[160];

	if (pci_quiesce_words(&result, words, sizeof(words)) > 0)
		log_print("%s", words);
}

/* From here on the console shows the log; what is between the two positions is in the log only. */
static uint64_t take_console(struct manager *manager)
{
	char text[256];
	uint64_t position = 0;
	size_t count;

	if (sys_console_take(MANAGER_HANDLE_HOST, true) != OK)
		return 0;
	firmware_log_tables(manager->host.info);
	if (manager->sci == HANDLE_NONE)
		log_print("acpi: the power button is none that Bulkhead can use; `poweroff` at the prompt switches off");
	while (sys_log_read(&position, text, sizeof(text), &count) == OK && count > 0)
		;
	return position;
}

void manager_start_console(struct manager *manager)
{
	if (console_start(&manager->console, &manager->host, &manager->console_wishes) != OK)
		return;
	for (uint32_t i = 0; i < manager->vm_count; i++)
		vm_open_terminal(&manager->vms[i], &manager->around);
}

static void start_console(struct manager *manager)
{
	manager->console_wishes = (struct console_wishes){
		.serial = (manager->manifest.host.console & MANIFEST_CONSOLE_SERIAL) != 0,
		.serial_port = firmware_read_serial_port(manager->host.info->rsdp_physical),
		.screen = (manager->manifest.host.console & MANIFEST_CONSOLE_SCREEN) != 0,
		.manager_event = manager->event,
		.message_bits = MANAGER_EVENT_CONSOLE,
		.end_bits = MANAGER_EVENT_CONSOLE_END,
		.log_shown_position = take_console(manager),
	};
	memcpy(manager->console_wishes.cpu_mask, manager->schedule.plan.host_cpus, sizeof(manager->schedule.plan.host_cpus));
	manager_start_console(manager);
}

static void start_switches(struct manager *manager)
{
	const struct switch_surroundings around = {
		.host = &manager->host,
		.manifest = &manager->manifest,
		.manager_event = manager->event,
		.end_bits = MANAGER_EVENT_SWITCH_END,
		.cpu_mask = manager->console_wishes.cpu_mask,
	};

	switches_start(&manager->switches, &around);
}

static void start_vm(struct manager *manager, struct vm_entry *vm)
{
	vm->refused = vm->wanted->refused;
	if (vm->refused)
		format_text(vm->why, sizeof(vm->why), "refused; `log` says why");
	else if (vm->wanted->autostart)
		vm_start(vm, &manager->around);
}

/* Each line of the report is a code and words; each VM gets all of them, with its name. */
static void refuse_by_report(struct vm_entry *vm, const char *report)
{
	vm->refused = true;
	format_text(vm->why, sizeof(vm->why), "%.*s; `log` says why", CODE_CHARACTERS, report);
	for (const char *line = report; *line != '\0';) {
		const char *end = strchr(line, '\n');
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

		if (len > CODE_CHARACTERS) {
			log_print("%.*s %s: not started:%.*s", CODE_CHARACTERS, line, vm->wanted->name,
				  (int)(len - CODE_CHARACTERS), line + CODE_CHARACTERS);
		}
		line += len + (end != NULL ? 1 : 0);
	}
}

/* A line for each feature that VMs need and that the manifest switches off, or an empty text. */
static void report_disabled(uint64_t disabled, char *report, size_t size_bytes)
{
	static const char *const names[] = {
#define FEATURE_NAME(symbol, name) [FEATURE_##symbol] = (name),
		FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
	};
	size_t used = 0;

	report[0] = '\0';
	for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
		if ((disabled & FEATURES_NEEDED & FEATURE_BIT(i)) != 0)
			used += format_text(report + used, size_bytes - used,
					    "E405 \"%s\" is needed, and `disable` in %s switches it off; remove it "
					"there\n", names[i],
					    MANIFEST_FILE_NAME);
	}
}

/* Why no VM can run at all, or an empty text. */
static void read_vmx_report(const struct manager *manager, char *report, size_t size_bytes)
{
	size_t count = 0;

	report_disabled(manager->manifest.host.disabled_features, report, size_bytes);
	if (report[0] != '\0')
		return;
	if (manager->host.info->vmx_usable != 0)
		return;
	if (sys_host_report(HOST_REPORT_VMX, report, size_bytes - 1, &count) == OK)
		report[count] = '\0';
	if (count == 0)
		format_text(report, size_bytes, "E401 this PC cannot run VMs\n");
}

static void start_vms(struct manager *manager)
{
	static char report[REPORT_BYTES];

	read_vmx_report(manager, report, sizeof(report));
	for (uint32_t i = 0; i < manager->manifest.vm_count; i++) {
		struct vm_entry *vm = &manager->vms[i];

		vm_init(vm, &manager->manifest.vms[i], i, manager->manifest.host.quiet);
		manager->vm_count = i + 1;
		if (report[0] != '\0' && !vm->wanted->refused)
			refuse_by_report(vm, report);
		else
			start_vm(manager, vm);
	}
	console_wake(&manager->console);
}

static void log_plan_line(void *context, const char *line)
{
	(void)context;
	sys_log_write(line, strlen(line));
}

enum status manager_boot(struct manager *manager)
{
	enum status status = host_open(&manager->host);

	if (status == OK)
		status = sys_event_create(MANAGER_HANDLE_POOL, &manager->event);
	if (status == OK)
		status = sys_event_create(MANAGER_HANDLE_POOL, &manager->sleep_event);
	if (status != OK)
		return status;
	greet(manager->host.info);
	manifest_load(&manager->manifest, &manager->schedule.plan, &manager->host);
	schedule_apply_cpus(&manager->schedule);
	if (!manager->manifest.host.quiet)
		schedule_print(&manager->schedule, log_plan_line, NULL);
	manager->around = (struct vm_surroundings){
		.host = &manager->host,
		.console = &manager->console,
		.switches = &manager->switches,
		.regions = &manager->regions,
		.schedule = &manager->schedule,
		.disabled_features = manager->manifest.host.disabled_features,
		.manager_event = manager->event,
		.state_bits = MANAGER_EVENT_VM_STATE,
		.end_bits = MANAGER_EVENT_VM_END,
	};
	stop_dma();
	start_power(manager);
	start_console(manager);
	start_switches(manager);
	regions_make(&manager->regions, &manager->manifest);
	start_vms(manager);
	return OK;
}
