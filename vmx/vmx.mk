KERNEL_SOURCES += vmx/apic_access.c vmx/apicv.c vmx/ept.c vmx/exit.c vmx/exit_access.c vmx/exit_cr.c vmx/exit_instruction.c vmx/exit_interrupt.c vmx/exit_table.c \
	lib/x86/fault_combine.c vmx/inject.c vmx/registers.c vmx/vmcs.c vmx/vmcs_check.c vmx/vmcs_setup.c vmx/vmx_capabilities.c \
	vmx/vmx_cpu.c vmx/vmx_entry.asm vmx/vmx_ops.c vmx/vmx_report.c vmx/vmx_vcpu.c
OFFSETS_SOURCES += vmx/vmx_offsets.c
$(BUILD)/kernel/vmx/vmx_entry.o: $(BUILD)/generated/vmx_offsets.inc

UNIT_TESTS += ept
test_ept_SOURCES := vmx/ept.c
UNIT_TESTS += vmx_capabilities vmx_report vmcs_check exit_table
test_vmx_report_SOURCES := vmx/vmx_report.c vmx/vmx_capabilities.c lib/base/format.c
test_vmx_capabilities_SOURCES := vmx/vmx_capabilities.c
test_vmcs_check_SOURCES := vmx/vmcs_check.c virt/reply.c
test_exit_table_SOURCES := vmx/exit_table.c lib/x86/fault_combine.c
# The same code with VMX instructions that act on memory.
VMX_FAKED := vmx/apicv.c vmx/inject.c vmx/registers.c vmx/exit_access.c
$(VMX_FAKED:%.c=$(BUILD)/host/%.o): HOST_CFLAGS += -include tests/fake/vmx_insn.h
UNIT_TESTS += vmx_inject
test_vmx_inject_SOURCES := vmx/inject.c lib/x86/fault_combine.c tests/fake/vmx_insn.c
UNIT_TESTS += vmx_registers
test_vmx_registers_SOURCES := vmx/registers.c tests/fake/vmx_insn.c
UNIT_TESTS += vmx_apicv
test_vmx_apicv_SOURCES := vmx/apicv.c virt/local_apic.c virt/local_apic_timer.c virt/local_apic_x2apic.c tests/fake/vmx_insn.c
UNIT_TESTS += exit_access
test_exit_access_SOURCES := vmx/exit_access.c virt/local_apic.c virt/local_apic_timer.c tests/fake/vmx_insn.c
