; From a flat program's 64-bit mode to 32-bit protected mode and back, and what runs there: scenarios, which switch tasks, and the
; tasks. guests/test/task_switch.c makes the tables, calls tasks_run() and checks what was noted. One file because all of it is one
; program that notes what it finds in one place. SDM Vol. 3A, "Task Management"; "Initializing IA-32e Mode" for the way back.

default rel

global tasks_run, tasks_seen, tasks_gdt_register, tasks_idt_register
global tasks_cr3, tasks_cr4, tasks_absent_entry, tasks_absent_value, tasks_main_tss
global task_kernel, task_user, task_16
global hook_none, hook_jump_back, hook_map_page, hook_skip_fault, hook_second_nmi, hook_end_of_interrupt
global scenario_jmp, scenario_call, scenario_call_gate, scenario_call_16, scenario_int, scenario_fault, scenario_page_fault
global scenario_8086, scenario_into, scenario_nmi, scenario_interrupt, scenario_device_stack
global scenario_device_return, handler_return, tasks_return_64, handler_return_64
global handler_debug, handler_not_present, handler_new_stack, tasks_event_64, handler_new_stack_64

CODE_64         equ 0x10			; docs/guest-flat.md
DATA_64         equ 0x18
CODE_32         equ 0x20			; guests/test/task_switch.c
DATA_32         equ 0x28
TSS_MAIN        equ 0x30
TSS_TASK        equ 0x38
TSS_TASK_16     equ 0x40
TASK_GATE       equ 0x68
OFFSET_IGNORED  equ 0xf4f4f4f4			; HLT, HLT, HLT, HLT
CR0_PG          equ 0x80000000
CR0_TS          equ 8
CR4_PAE         equ 0x20
MSR_EFER        equ 0xc0000080
EFER_LME        equ 0x100
EFLAGS_NT       equ 0x4000
ABSENT_PAGE     equ 0x40000000
DEVICE_STACK    equ 0xd0000800			; nobody's
TESTDEV_STACK   equ 0xff008000			; docs/qemu-devices.md: a device that keeps what is written
ICR_LOW         equ 0xfee00300
ICR_HIGH        equ 0xfee00310
ICR_NMI         equ 0x4400
ICR_TO_SELF     equ 0x44082			; vector 82h
APIC_EOI        equ 0xfee000b0
APIC_SVR        equ 0xfee000f0
SVR_ENABLED     equ 0x1ff
SKIPPED_BYTES   equ 2				; UD2
TSS_EIP         equ 0x20
STACK_BYTES     equ 2048

section .text
bits 64

; void tasks_run(void (*scenario)(void)): RDI, an address below 4 GiB. Interrupts stay off.
tasks_run:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[saved_rsp], rsp
	mov	[saved_scenario], edi
	mov	rax, cr3
	mov	[saved_cr3], rax
	sgdt	[saved_gdt]
	sidt	[saved_idt]
	lgdt	[tasks_gdt_register]
	lidt	[tasks_idt_register]
	push	CODE_32
	lea	rax, [compatibility]
	push	rax
	retfq

bits 32
compatibility:
	mov	eax, cr0
	and	eax, ~CR0_PG & 0xffffffff
	mov	cr0, eax
	mov	ecx, MSR_EFER
	rdmsr
	and	eax, ~EFER_LME
	wrmsr
	mov	eax, [tasks_cr4]
	mov	cr4, eax
	mov	eax, [tasks_cr3]
	mov	cr3, eax
	mov	eax, cr0
	or	eax, CR0_PG
	and	eax, ~CR0_TS
	mov	cr0, eax
	mov	eax, DATA_32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	esp, main_stack_end
	xor	eax, eax
	lldt	ax
	mov	eax, TSS_MAIN
	ltr	ax
	call	dword [saved_scenario]
	mov	eax, cr0
	mov	[seen.cr0_after], eax
	pushfd
	pop	dword [seen.flags_after]
	str	[seen.tr_after]
	and	eax, ~CR0_PG & 0xffffffff
	mov	cr0, eax
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [saved_cr3]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME
	wrmsr
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	jmp	CODE_64:back

bits 64
back:
	mov	eax, DATA_64
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	lgdt	[saved_gdt]
	lidt	[saved_idt]
	clts
	mov	rsp, [saved_rsp]
	push	2				; NT would make an IRETQ fault
	popfq
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; void tasks_event_64(void): INT3 with a stack that is nobody's memory; handler_new_stack_64 ends it.
tasks_event_64:
	mov	[saved_rsp], rsp
	mov	eax, DEVICE_STACK
	mov	rsp, rax
	int3
handler_new_stack_64:
	mov	[seen.esp], rsp
	mov	rsp, [saved_rsp]
	ret

; void tasks_return_64(void): INT3 and back, with a stack in a device's memory.
tasks_return_64:
	mov	[saved_rsp], rsp
	mov	eax, TESTDEV_STACK
	mov	rsp, rax
	int3
	mov	[seen.esp], rsp
	mov	rsp, [saved_rsp]
	ret
handler_return_64:
	inc	dword [seen.count]
	iretq

bits 32

; Tasks. Each notes what it finds, and begins again where a CALL or an event comes after its IRET.
task_kernel:
	mov	[seen.eax], eax
	mov	[seen.esp], esp
	pushfd
	pop	dword [seen.flags]
	str	[seen.tr]
	mov	eax, cr0
	mov	[seen.cr0], eax
	mov	[seen.ds], ds
	inc	dword [seen.count]
	clts
	call	dword [tasks_seen + 4]
	iretd
	jmp	task_kernel

task_user:
	mov	[seen.cs], cs
	inc	dword [seen.count]
	iretd
	jmp	task_user

; Of 16 bits: IP counts from its segment's base, which is here. Calls the other task, and goes back.
task_16:
	mov	[seen.eax_16], eax
	mov	[seen.esp_16], esp
	inc	dword [seen.count_16]
	call	TSS_TASK:OFFSET_IGNORED
	mov	[seen.ebx_16], ebx
	iretd
	jmp	short task_16

; What a task does before it goes back.
hook_none:
	ret
hook_jump_back:
	jmp	TSS_MAIN:OFFSET_IGNORED
	ret
hook_map_page:					; [ESP] is the return address, behind it the error code
	mov	eax, [esp + 4]
	mov	[seen.error_code], eax
	mov	eax, [tasks_absent_entry]
	mov	ecx, [tasks_absent_value]
	mov	[eax], ecx
	pop	eax
	add	esp, 4
	jmp	eax
hook_skip_fault:
	mov	eax, [tasks_main_tss]
	add	dword [eax + TSS_EIP], SKIPPED_BYTES
	ret
hook_second_nmi:				; blocked until this task's IRET
	cmp	dword [seen.count], 1
	jne	.end
	call	send_nmi
	mov	eax, [seen.count]
	mov	[seen.count_at_nmi], eax
.end:
	ret

hook_end_of_interrupt:
	mov	dword [APIC_EOI], 0
	ret

send_nmi:
	mov	dword [ICR_HIGH], 0
	mov	dword [ICR_LOW], ICR_NMI
	nop
	nop
	ret

; Scenarios, in the main task. EBX must come back.
scenario_jmp:
	mov	ebx, 0x12345678
	jmp	TSS_TASK:OFFSET_IGNORED
	mov	[seen.ebx_after], ebx
	ret
scenario_call:
	mov	ebx, 0x23456789
	call	TSS_TASK:OFFSET_IGNORED
	call	TSS_TASK:OFFSET_IGNORED
	mov	[seen.ebx_after], ebx
	ret
scenario_call_gate:
	mov	ebx, 0x3456789a
	call	TASK_GATE:OFFSET_IGNORED
	mov	[seen.ebx_after], ebx
	ret
scenario_call_16:
	mov	ebx, 0x456789ab
	call	TSS_TASK_16:OFFSET_IGNORED
	mov	[seen.ebx_after], ebx
	ret
scenario_int:
	mov	ebx, 0x56789abc
	int	0x80
	mov	[seen.ebx_after], ebx
	ret
scenario_into:
	mov	ebx, 0x6789abcd
	mov	al, 127
	add	al, 1
	a16 into				; two bytes
	mov	[seen.ebx_after], ebx
	ret
scenario_fault:
	mov	ebx, 0x789abcde
	ud2
	mov	[seen.ebx_after], ebx
	ret
scenario_page_fault:
	mov	ebx, 0x89abcdef
	mov	dword [ABSENT_PAGE], 1
	mov	[seen.ebx_after], ebx
	ret
scenario_8086:
	mov	ebx, 0x9abcdef0
	pushfd
	or	dword [esp], EFLAGS_NT
	popfd
	iretd
	mov	[seen.ebx_after], ebx
	ret
scenario_nmi:
	mov	ebx, 0xabcdef01
	call	send_nmi
	mov	[seen.ebx_after], ebx
	ret
scenario_interrupt:
	mov	ebx, 0xbcdef012
	mov	dword [APIC_SVR], SVR_ENABLED
	sti
	mov	dword [ICR_LOW], ICR_TO_SELF
	nop
	nop
	cli
	mov	[seen.ebx_after], ebx
	ret
scenario_device_stack:
	mov	ebx, esp
	mov	esp, DEVICE_STACK
	int	0x81
handler_new_stack:
	mov	[seen.esp], esp
	mov	esp, ebx
	mov	[seen.ebx_after], ebx
	ret

scenario_device_return:
	mov	ebx, esp
	mov	esp, TESTDEV_STACK
	int	0x83
	mov	[seen.esp], esp
	mov	esp, ebx
	mov	[seen.ebx_after], ebx
	ret
handler_return:
	push	eax
	inc	dword [seen.count]
	pop	eax
	iretd

; Handlers by interrupt gates, in the task that was switched to.
handler_debug:
	push	eax
	mov	eax, dr6
	mov	[seen.dr6], eax
	mov	eax, [esp + 4]
	mov	[seen.eip], eax
	pop	eax
	iretd
handler_not_present:
	push	eax
	mov	eax, DATA_32
	mov	ds, eax
	mov	eax, [esp + 4]
	mov	[seen.error_code], eax
	mov	eax, [esp + 8]
	mov	[seen.eip], eax
	pop	eax
	add	esp, 4
	iretd

section .data
align 8
tasks_gdt_register:
	dw	0
	dq	0
tasks_idt_register:
	dw	0
	dq	0

section .bss
alignb 16
saved_rsp:	resq	1
saved_cr3:	resq	1
saved_gdt:	resb	10
saved_idt:	resb	10
saved_scenario:	resd	1
tasks_cr3:	resd	1
tasks_cr4:	resd	1
tasks_absent_entry: resd 1
tasks_absent_value: resd 1
tasks_main_tss:	resd	1
; struct tasks_seen in guests/test/task_switch.c
tasks_seen:
seen:
.count:		resd	1
.hook:		resd	1
.eax:		resd	1
.esp:		resd	1
.flags:		resd	1
.cr0:		resd	1
.tr:		resd	1
.ds:		resd	1
.cs:		resd	1
.count_16:	resd	1
.eax_16:	resd	1
.esp_16:	resd	1
.ebx_16:	resd	1
.error_code:	resd	1
.count_at_nmi:	resd	1
.dr6:		resd	1
.eip:		resd	1
.ebx_after:	resd	1
.flags_after:	resd	1
.cr0_after:	resd	1
.tr_after:	resd	1
.end:		resd	1
alignb 16
	resb	STACK_BYTES
main_stack_end:

section .note.GNU-stack noalloc noexec nowrite progbits
