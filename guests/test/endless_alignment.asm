; An alignment check whose delivery is an alignment check: in legacy 32-bit mode, a gate to ring 3 with a misaligned stack. #AC is
; benign, so that no double fault ends it, and a CPU delivers for ever without taking an interrupt: it must exit. SDM Vol. 3A,
; "Interrupt 17--Alignment Check Exception (#AC)"; a hypervisor that lets it pass hangs with its guest (CVE-2015-5307).

CODE_32	equ	0x08
CODE_R3	equ	0x10 | 3
DATA_R3	equ	0x18 | 3
CR0_PG	equ	1 << 31
CR0_AM	equ	1 << 18
FLAG_AC	equ	1 << 18

bits 64
default rel

extern print
global guest_main

section .text

; void guest_main(const struct guest_flat_info *info); never returns.
guest_main:
	lea	rdi, [text]
	call	print
	lgdt	[gdt_register]
	lidt	[idt_register]
	lea	rax, [.in_32_bit]
	push	CODE_32
	push	rax
	retfq
bits 32
.in_32_bit:
	mov	eax, cr0
	and	eax, ~CR0_PG		; which ends IA-32e mode
	or	eax, CR0_AM
	mov	cr0, eax
	push	dword DATA_R3
	push	dword stack_end - 1
	push	dword FLAG_AC | 2
	push	dword CODE_R3
	push	dword .in_ring_3
	iretd
.in_ring_3:
	push	eax
	jmp	.in_ring_3

section .rodata
text:	db	"endless_alignment: now", 10, 0
	align	8
gdt:	dq	0
	dq	0x00cf9b000000ffff	; code, ring 0
	dq	0x00cffb000000ffff	; code, ring 3
	dq	0x00cff3000000ffff	; data, ring 3
gdt_register:
	dw	$ - gdt - 1
	dq	gdt
	align	8
idt:	times 17 dq 0
	dw	0x0200, CODE_R3		; a handler that is never reached; bits 31:16 of its address are 10h
	dw	0x8e00, 0x0010
idt_register:
	dw	$ - idt - 1
	dq	idt

section .bss
	resb	256
stack_end:
	resb	16

section .note.GNU-stack noalloc noexec nowrite progbits
