/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operation exec-wait executes: nothing. */
int
main(void)
{
	return 0;
}
