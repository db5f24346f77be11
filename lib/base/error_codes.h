/* Every message a user may have to act on carries a code from this list: "E105 bulkhead.toml line 7: ...".
 * Codes never change their meaning and are never used again; docs/errors.md explains each, and a test demands that it does.
 *   E1xx manifest     E2xx guest files and memory     E3xx a VM that was stopped     E4xx the PC: CPU, VT-x, firmware
 *   E5xx boot and loaders     E6xx the host's own programs and resources     E7xx ./dev and tools (docs/errors.md only) */
#pragma once

#define ERROR_CODES(X) \
	X(E101, "manifest cannot be parsed as TOML") \
	X(E102, "manifest is larger than fits") \
	X(E103, "value is outside the subset of TOML") \
	X(E104, "unknown table") \
	X(E105, "unknown key") \
	X(E106, "value of the wrong type") \
	X(E107, "number out of range") \
	X(E108, "text is malformed or too long") \
	X(E109, "two VMs, or two switches, of the same name") \
	X(E110, "required key missing") \
	X(E111, "memory size is malformed") \
	X(E112, "not one of the possible values") \
	X(E113, "list of CPUs is wrong") \
	X(E114, "not yet supported in this version") \
	X(E115, "unknown feature in disable") \
	X(E116, "too many VMs or switches") \
	X(E117, "path is malformed") \
	X(E118, "key set twice") \
	X(E119, "manifest cannot be read") \
	X(E120, "note: setting has no effect in this version") \
	X(E121, "manifest names no VM") \
	X(E122, "duration is malformed") \
	X(E123, "reservation is impossible") \
	X(E124, "windows of time are wrong") \
	X(E125, "list of VMs is wrong") \
	X(E126, "settings of scheduling contradict one another") \
	X(E127, "CPU cannot be dedicated") \
	X(E128, "VM is in a [schedule] that is wrong") \
	X(E140, "switch that is not there, or full") \
	X(E141, "address of a network card is wrong") \
	X(E142, "settings of a disk contradict one another") \
	X(E143, "CID of another VM") \
	X(E145, "region that is not there, named twice, or full") \
	X(E201, "kernel file not found") \
	X(E202, "initrd file not found") \
	X(E203, "VM wants more memory than there is") \
	X(E204, "VM wants CPUs that the PC does not have") \
	X(E205, "guest file did not fit into memory") \
	X(E206, "guest file could not be read") \
	X(E207, "VM reserves more CPU time than there is") \
	X(E208, "no CPU is left for the VM") \
	X(E209, "CPU is a thread of a core that others use") \
	X(E210, "guest file is not a kernel") \
	X(E211, "kernel file is not whole") \
	X(E212, "Linux kernel too old") \
	X(E213, "kernel does not fit into the VM's memory") \
	X(E214, "initrd does not fit into the VM's memory") \
	X(E215, "command line too long for the kernel") \
	X(E216, "kind of kernel not yet supported") \
	X(E217, "kernel file's header makes no sense") \
	X(E218, "VM could not be set up") \
	X(E219, "VMM and manager are of different releases") \
	X(E220, "module file not found") \
	X(E221, "kernel of this kind takes no such file") \
	X(E230, "firmware file not found") \
	X(E231, "firmware file is not a PC's firmware") \
	X(E232, "disk file not found") \
	X(E233, "disk does not fit its file, or its changes their memory") \
	X(E240, "virtio device could not be made") \
	X(E241, "memory for a disk's changes is full") \
	X(E301, "the guest could not deliver a double fault") \
	X(E302, "VM entry failed") \
	X(E303, "VM exit that this version does not expect") \
	X(E304, "the VMM answered an exit wrongly") \
	X(E305, "the VMM itself failed") \
	X(E306, "instruction on device memory that is not emulated") \
	X(E307, "the guest jumped to an address without memory") \
	X(E308, "the guest halted with interrupts off") \
	X(E312, "no memory left for the VM's page tables") \
	X(E314, "the guest's stack, descriptor table or page table is not in memory") \
	X(E315, "delivery of an event, or task switch, that is not emulated") \
	X(E401, "the processor has no VT-x") \
	X(E402, "VT-x is locked off by the firmware") \
	X(E403, "VT-x cannot be switched on") \
	X(E404, "VT-x lacks a part that is needed") \
	X(E405, "VT-x or a needed part of it is switched off by the manifest") \
	X(E501, "no kernel file on the boot volume") \
	X(E502, "the kernel file is damaged or not a kernel") \
	X(E503, "loader and kernel are of different releases") \
	X(E504, "too little memory to start the kernel") \
	X(E505, "the boot volume's folder bulkhead cannot be read") \
	X(E506, "the CPU lacks what the loader needs") \
	X(E507, "the firmware refuses a service or gives an unusable memory map") \
	X(E508, "a boot file was skipped: not enough memory") \
	X(E509, "a boot file was skipped: it cannot be read") \
	X(E510, "5-level paging cannot be switched off") \
	X(E511, "the kernel of bare= cannot be booted") \
	X(E512, "boot files were left out: too many, too deep or names too long") \
	X(E513, "not started by a Multiboot2 loader") \
	X(E514, "more CPUs or IOAPICs than are used") \
	X(E515, "the time stamp counter's frequency is in doubt") \
	X(E516, "the command line was cut") \
	X(E601, "a program of the host was stopped by an exception") \
	X(E602, "Bulkhead stopped because of an error in itself") \
	X(E603, "too little memory for ring 0") \
	X(E604, "a CPU did not start") \
	X(E605, "a CPU's time stamp counter differs") \
	X(E606, "the manager's file is damaged") \
	X(E607, "the manager's file is missing") \
	X(E608, "unknown selftest") \
	X(E610, "no such command at the prompt") \
	X(E611, "a command was written the wrong way") \
	X(E612, "no VM of that name") \
	X(E613, "the manager does not answer the prompt") \
	X(E614, "the channel between manager and prompt is damaged") \
	X(E615, "no room for another terminal") \
	X(E616, "the channel of a terminal is damaged") \
	X(E617, "manager and console are of different releases") \
	X(E618, "the screen has a mode that cannot be drawn on") \
	X(E619, "typed bytes were lost") \
	X(E620, "the CPU lacks what ring 0 needs") \
	X(E621, "boot stopped at a step") \
	X(E622, "no usable ACPI tables") \
	X(E630, "a VM cannot be started") \
	X(E631, "the VMM's program is missing or damaged") \
	X(E632, "the console program is missing or has stopped") \
	X(E633, "the PC cannot be switched off") \
	X(E634, "a PCI device cannot be kept from writing to memory") \
	X(E635, "a VM does not stop") \
	X(E636, "manager and kernel are of different releases") \
	X(E637, "which CPUs share a core is not known") \
	X(E640, "a switch is missing or has stopped") \
	X(E641, "a port of a switch is closed")

enum error_code {
#define ERROR_CODE_ENUM(code, meaning) code,
	ERROR_CODES(ERROR_CODE_ENUM)
#undef ERROR_CODE_ENUM
	ERROR_CODE_COUNT
};
