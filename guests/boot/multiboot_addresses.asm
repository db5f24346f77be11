; A Multiboot kernel that is no ELF file: the header's address fields say where it goes. The file begins with bytes that are not
; loaded; what follows the loaded part in the file is not loaded either, and is zero in memory.
; Multiboot Specification 0.6.96, "The address fields of Multiboot header".

bits 32

MAGIC	equ	1BADB002h
FLAGS	equ	10000h
BASE	equ	200000h
%define loaded(label)	(BASE + (label - load_start))

	times 64 db "not loaded, "
load_start:
	dd	0					; the header need not be first
header:
	dd	MAGIC, FLAGS, -(MAGIC + FLAGS)
	dd	loaded(header), BASE, loaded(load_end), loaded(load_end) + 4096, loaded(start)

start:
	mov	esp, loaded(load_end) + 4096
	cmp	eax, 2BADB002h
	jne	.failed
	mov	edi, loaded(load_end)
	mov	ecx, 4000 / 4				; the last bytes are the stack
	xor	eax, eax
	cld
	repe scasd
	jne	.failed
	cmp	dword [loaded(last)], "LAST"
	jne	.failed
	mov	esi, [ebx + 16]				; command line
	call	print
	mov	esi, loaded(passed)
	call	print
	jmp	power_off
.failed:
	mov	esi, loaded(failed)
	call	print
	jmp	power_off

%include "guests/boot/print.inc"

passed:	db	13, 10, "TEST-PASS address fields", 13, 10, 0
failed:	db	"TEST-FAIL address fields", 13, 10, 0
last:	db	"LAST"
load_end:
	times 64 db "not loaded, "
