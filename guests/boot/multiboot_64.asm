; A Multiboot kernel of 64-bit code: it is entered in 32-bit protected mode and switches to long mode with tables of its own.
; Linked as an ELF64 file and as the same wrapped in ELF32. Header flags 0.

bits 32
default abs

global start

MAGIC	equ	1BADB002h
PAGE_PRESENT_WRITABLE equ 3
PAGE_LARGE equ	80h

section .multiboot
align 4
	dd	MAGIC, 0, -MAGIC

section .text

start:
	mov	esp, stack_end
	mov	ebp, ebx
	mov	dword [pml4], pdpt + PAGE_PRESENT_WRITABLE
	mov	dword [pdpt], directory + PAGE_PRESENT_WRITABLE
	mov	edi, directory
	mov	eax, PAGE_PRESENT_WRITABLE | PAGE_LARGE
.fill:							; the first GiB
	mov	[edi], eax
	add	edi, 8
	add	eax, 200000h
	cmp	edi, directory + 4096
	jne	.fill
	mov	eax, cr4
	or	eax, 20h				; PAE
	mov	cr4, eax
	mov	eax, pml4
	mov	cr3, eax
	mov	ecx, 0C0000080h				; IA32_EFER
	rdmsr
	or	eax, 100h				; LME
	wrmsr
	mov	eax, cr0
	or	eax, 80000000h				; PG
	mov	cr0, eax
	lgdt	[gdt_pointer]
	jmp	8:long_mode

bits 64
long_mode:
	mov	eax, 10h
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	ebp, ebp
	mov	esi, [rbp + 16]				; command line
	call	print
	mov	rax, 1234567812345678h			; no such instruction in other modes
	ror	rax, 32
	mov	esi, passed
	cmp	eax, 12345678h
	je	.tell
	mov	esi, failed
.tell:
	call	print
	jmp	power_off

%include "guests/boot/print.inc"

section .rodata
passed:	db	13, 10, "TEST-PASS 64-bit code", 13, 10, 0
failed:	db	13, 10, "TEST-FAIL 64-bit code", 13, 10, 0
align 8
gdt:
	dq	0, 00AF9B000000FFFFh, 00CF93000000FFFFh
gdt_end:
gdt_pointer:
	dw	gdt_end - gdt - 1
	dd	gdt

section .bss
alignb 4096
pml4:	resb	4096
pdpt:	resb	4096
directory: resb	4096
	resb	4096
stack_end:
