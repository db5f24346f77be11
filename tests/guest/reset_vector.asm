; Does a jump to where a PC's firmware begins, as boot loaders and real-mode programs do to restart, end in a reset? SDM Vol. 3A,
; "First Instruction Executed".

%include "tests/guest/lib/modes.inc"

question16
program:
	jmp	0xffff:0
program_end:

section .note.GNU-stack noalloc noexec nowrite progbits
