; Are accesses to a device from 32-bit and 16-bit code of compatibility mode carried out as that code means them: INC and DEC in
; place of REX, 32-bit addresses that wrap, bases of segments, 16-bit addressing? SDM Vol. 2, "REX Prefixes"; Vol. 3A,
; "Compatibility Mode".

%include "tests/guest/lib/modes.inc"
global question

IOAPIC equ 0xfec00000
NOBODY equ 0xd0000000

section .text
bits 64
; Leaves only by far jumps: paging and long mode stay on.
question:
	push	rbx
	push	rbp
	sgdt	[saved_gdt]
	sidt	[saved_idt]
	mov	[saved_rsp], rsp
	descriptor SEL_FREE, IOAPIC, 0xfff, ACCESS_DATA, FLAGS_32
	descriptor SEL_FREE + 8, IOAPIC - 0x1000, 0xfffff, ACCESS_DATA, FLAGS_PAGES
	descriptor SEL_FREE + 16, IOAPIC, 0xf, ACCESS_DATA, FLAGS_32
	descriptor SEL_FREE + 24, 0, 0, ACCESS_CODE, FLAGS_16
	lea	eax, [program16]
	mov	[mode_gdt + SEL_FREE + 24 + 2], ax
	shr	eax, 16
	mov	[mode_gdt + SEL_FREE + 24 + 4], al
	mov	word [mode_gdt + SEL_FREE + 24], program16_end - program16 - 1
	descriptor SEL_FREE + 32, IOAPIC, 0xffff, ACCESS_DATA, FLAGS_16
	mov	word [gdtr], 16 * 8 - 1
	mov	qword [gdtr + 2], mode_gdt
	lgdt	[gdtr]
	push	SEL_CODE32
	lea	rax, [program]
	push	rax
	o64 retf
done:	lgdt	[saved_gdt]
	mov	eax, SEL_DATA64
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	mov	rsp, [saved_rsp]
	pop	rbp
	pop	rbx
	jmp	print_checks

bits 32
program:
	mov	eax, SEL_DATA32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, stack_end
	mov	dword [IOAPIC], 0	; its ID register
	mov	edi, IOAPIC + 0x10
	mov	dword [edi], 0x05000000
	mov	eax, 7
	dec	eax			; 48h, which is REX.W in 64-bit mode
	mov	ecx, [edi]
	check32 "a load behind DEC", ecx, 0x05000000
	check32 "DEC", eax, 6
	mov	eax, 0x03000000
	inc	ebx			; 43h
	mov	[edi], eax
	mov	eax, [IOAPIC + 0x10]
	check32 "a load by an absolute address", eax, 0x03000000
	mov	eax, 0x20000010
	mov	ecx, [eax + 0xdec00000]
	check32 "a 32-bit address that wraps", ecx, 0x03000000
	mov	eax, SEL_FREE
	mov	fs, eax
	mov	ecx, [fs:0x10]
	check32 "a segment's base", ecx, 0x03000000
	mov	eax, SEL_FREE + 8
	mov	gs, eax
	mov	ebx, 0x1008
	mov	ecx, [gs:ebx + 8]
	check32 "base, register and displacement", ecx, 0x03000000
	mov	ebx, 0x10
	mov	ecx, [fs:bx]
	check32 "16-bit addressing", ecx, 0x03000000
	mov	bp, 8
	mov	si, 8
	mov	ecx, [fs:bp + si]
	check32 "16-bit addressing by BP and SI", ecx, 0x03000000
	movzx	ecx, byte [fs:0x13]
	check32 "MOVZX", ecx, 3
	movsx	ecx, byte [dword NOBODY]
	check32 "MOVSX", ecx, 0xffffffff
	mov	eax, SEL_FREE
	mov	ds, eax
	mov	cx, [0x12]
	mov	eax, SEL_DATA32
	mov	ds, eax
	movzx	ecx, cx
	check32 "a 16-bit load", ecx, 0x0300
	mov	esi, IOAPIC + 0x10
	mov	edi, copy
	cld
	mov	ecx, 1
	rep	movsd
	check32 "REP MOVSD from the device", [copy], 0x03000000
	check32 "its source", esi, IOAPIC + 0x14
	push	dword [IOAPIC + 0x10]
	pop	ecx
	check32 "PUSH of the device", ecx, 0x03000000
	xor	eax, eax
	xchg	[IOAPIC + 0x10], eax
	check32 "XCHG", eax, 0x03000000
	call	SEL_FREE + 24:0
	mov	eax, SEL_DATA32
	mov	ds, eax
	check32 "16-bit code stores", ecx, 0x09000000
	check32 "16-bit code loads", edx, 0x0900
	mov	eax, SEL_FREE + 16
	mov	fs, eax
	jmp	SEL_CODE64:done

bits 16
program16:
	mov	ax, SEL_FREE + 32
	mov	ds, ax
	mov	eax, 0x09000000
	mov	[0x10], eax
	mov	ecx, [0x10]
	mov	di, 0x10
	movzx	edx, word [di + 2]
	o32 retf
program16_end:

section .bss
align 16
saved_gdt:	resb	16
saved_idt:	resb	16
gdtr:		resb	16
saved_rsp:	resq	1
copy:		resd	1
stack:		resb	4096
stack_end:

section .note.GNU-stack noalloc noexec nowrite progbits
