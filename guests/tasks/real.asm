; Real mode on the way of a scenario of tasks.asm: INT n with a stack at A000:1000, where a VM has no memory, and back to 32-bit
; protected mode with paging. SDM Vol. 3A, "Switching Back to Real-Address Mode".

global scenario_real, tasks_real, tasks_real_end
extern tasks_seen, tasks_idt_register

BASE            equ 0x9000			; guests/test/task_switch.c copies tasks_real there
CODE_32         equ 0x20
DATA_32         equ 0x28
CODE_REAL       equ 0x80			; flat to FFFFh, 16 bits
DATA_REAL       equ 0x88
CR0_PE_PG       equ 0x80000001
VECTOR          equ 0x70
DEVICE_SEGMENT  equ 0xa000
DEVICE_SP       equ 0x1000
SEEN_ESP        equ 12				; struct tasks_seen
SEEN_EBX_AFTER  equ 68

section .text
bits 32

scenario_real:
	mov	[saved_esp], esp
	jmp	CODE_REAL:BASE + enter - tasks_real
back:
	mov	eax, DATA_32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, [saved_esp]
	lidt	[tasks_idt_register]
	movzx	ebx, bx
	mov	[tasks_seen + SEEN_ESP], ebx
	mov	[tasks_seen + SEEN_EBX_AFTER], ecx
	ret

bits 16
tasks_real:
	ud2					; where virtual-8086 mode begins: CS 900h, IP 0
enter:
	mov	ax, DATA_REAL
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	lidt	[BASE + vectors - tasks_real]
	mov	eax, cr0
	and	eax, ~CR0_PE_PG & 0xffffffff
	mov	cr0, eax
	jmp	0:BASE + in_real_mode - tasks_real
in_real_mode:
	xor	ax, ax
	mov	ds, ax
	mov	word [VECTOR * 4], BASE + handler - tasks_real
	mov	word [VECTOR * 4 + 2], ax
	mov	ax, DEVICE_SEGMENT
	mov	ss, ax
	mov	sp, DEVICE_SP
	mov	ecx, 0x1234
	int	VECTOR
	mov	ecx, 0				; not reached
handler:
	mov	bx, sp
	mov	eax, cr0
	or	eax, CR0_PE_PG
	mov	cr0, eax
	jmp	dword CODE_32:back
vectors:
	dw	0x3ff
	dd	0
tasks_real_end:

section .bss
alignb 4
saved_esp:	resd	1

section .note.GNU-stack noalloc noexec nowrite progbits
