/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys of a US keyboard type; codes of set 1. */
#include "kernel/dev/vt_impl.h"

const struct keymap_entry keymap[128] = {
	[0x01] = {27, 27},    [0x02] = {'1', '!'}, [0x03] = {'2', '@'},	 [0x04] = {'3', '#'},
	[0x05] = {'4', '$'},  [0x06] = {'5', '%'}, [0x07] = {'6', '^'},	 [0x08] = {'7', '&'},
	[0x09] = {'8', '*'},  [0x0a] = {'9', '('}, [0x0b] = {'0', ')'},	 [0x0c] = {'-', '_'},
	[0x0d] = {'=', '+'},  [0x0e] = {127, 127}, [0x0f] = {9, 9},	 [0x10] = {'q', 'Q'},
	[0x11] = {'w', 'W'},  [0x12] = {'e', 'E'}, [0x13] = {'r', 'R'},	 [0x14] = {'t', 'T'},
	[0x15] = {'y', 'Y'},  [0x16] = {'u', 'U'}, [0x17] = {'i', 'I'},	 [0x18] = {'o', 'O'},
	[0x19] = {'p', 'P'},  [0x1a] = {'[', '{'}, [0x1b] = {']', '}'},	 [0x1c] = {13, 13},
	[0x1e] = {'a', 'A'},  [0x1f] = {'s', 'S'}, [0x20] = {'d', 'D'},	 [0x21] = {'f', 'F'},
	[0x22] = {'g', 'G'},  [0x23] = {'h', 'H'}, [0x24] = {'j', 'J'},	 [0x25] = {'k', 'K'},
	[0x26] = {'l', 'L'},  [0x27] = {';', ':'}, [0x28] = {'\'', '"'}, [0x29] = {'`', '~'},
	[0x2b] = {'\\', '|'}, [0x2c] = {'z', 'Z'}, [0x2d] = {'x', 'X'},	 [0x2e] = {'c', 'C'},
	[0x2f] = {'v', 'V'},  [0x30] = {'b', 'B'}, [0x31] = {'n', 'N'},	 [0x32] = {'m', 'M'},
	[0x33] = {',', '<'},  [0x34] = {'.', '>'}, [0x35] = {'/', '?'},	 [0x37] = {'*', '*'},
	[0x39] = {' ', ' '},  [0x4a] = {'-', '-'}, [0x4e] = {'+', '+'},	 [0x56] = {'<', '>'},
};

u8
keymap_keypad(u8 code)
{
	static const char digits[] = "789-456+1230.";

	return code >= 0x47 && code <= 0x53 ? (u8)digits[code - 0x47] : 0;
}

/* The cursor keys, on their own (behind E0) or on the keypad without Num Lock. */
static const char *
cursor_key(u8 code, bool app)
{
	switch (code) {
	case 0x48:
		return app ? "\033OA" : "\033[A";
	case 0x50:
		return app ? "\033OB" : "\033[B";
	case 0x4d:
		return app ? "\033OC" : "\033[C";
	case 0x4b:
		return app ? "\033OD" : "\033[D";
	case 0x47:
		return "\033[1~";
	case 0x4f:
		return "\033[4~";
	case 0x52:
		return "\033[2~";
	case 0x53:
		return "\033[3~";
	case 0x49:
		return "\033[5~";
	case 0x51:
		return "\033[6~";
	case 0x4c:
		return "\033[G";
	default:
		return NULL;
	}
}

static const char *
function_key(u8 code)
{
	static const char *const keys[] = {
		"\033[[A",  "\033[[B",	"\033[[C",  "\033[[D",	"\033[[E",
		"\033[17~", "\033[18~", "\033[19~", "\033[20~", "\033[21~",
	};

	if (code >= 0x3b && code <= 0x44)
		return keys[code - 0x3b];
	if (code == 0x57)
		return "\033[23~";
	return code == 0x58 ? "\033[24~" : NULL;
}

const char *
keymap_sequence(u8 code, bool extended, bool app_cursor)
{
	const char *s = cursor_key(code, app_cursor);

	return s || extended ? s : function_key(code);
}
