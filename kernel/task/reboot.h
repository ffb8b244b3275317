/* SPDX-License-Identifier: BSD-2-Clause */
/* For the keyboard. */
#ifndef KERNEL_TASK_REBOOT_H
#define KERNEL_TASK_REBOOT_H

/* Ctrl-Alt-Del was typed: restarts or tells process 1. Any context but NMI. */
void reboot_ctrl_alt_del(void);

#endif
