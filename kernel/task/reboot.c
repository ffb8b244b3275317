/* SPDX-License-Identifier: BSD-2-Clause */
/* reboot(2): power-off, restart, halt. File systems are the caller's to sync, as on Linux. */
#include "kernel/task/reboot.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/port.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/system.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* a  Ctrl-Alt-Del restarts at once (1), or sends SIGINT to process 1 */
static u32 cad_restarts = 1;
static LOCK_CLASS(reboot_class, RANK_PROCESS);
static struct mutex reboot_lock = MUTEX_INIT(reboot_lock, reboot_class);

static bool
magic_ok(int magic1, int magic2)
{
	u32 m = magic2;

	return (u32)magic1 == REBOOT_MAGIC1 && (m == REBOOT_MAGIC2 || m == REBOOT_MAGIC2A ||
						m == REBOOT_MAGIC2B || m == REBOOT_MAGIC2C);
}

static void __noreturn
go_down(unsigned int cmd)
{
	static const char *const what[] = {"Restarting system", "System halted", "Power down"};
	unsigned int i = cmd == REBOOT_CMD_HALT ? 1 : cmd == REBOOT_CMD_POWER_OFF ? 2 : 0;

	log_write(LOG_EMERG, "reboot: %s", what[i]);
	/* From here on we stay on this CPU: another one would be stopped with us on it. */
	irq_disable();
	arch_stop_cpus(false);
	switch (i) {
	case 0:
		arch_reboot();
	case 1:
		arch_halt();
	default:
		arch_poweroff();
	}
}

void
reboot_ctrl_alt_del(void)
{
	if (atomic_read(&cad_restarts))
		go_down(REBOOT_CMD_RESTART);
	signal_send_process(init_process, SIGINT, NULL);
}

long
sys_reboot(int magic1, int magic2, unsigned int cmd, void __user *arg)
{
	char command[256];
	long n;

	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!magic_ok(magic1, magic2))
		return -EINVAL;
	switch (cmd) {
	case REBOOT_CMD_CAD_ON:
		atomic_set(&cad_restarts, 1);
		return 0;
	case REBOOT_CMD_CAD_OFF:
		atomic_set(&cad_restarts, 0);
		return 0;
	case REBOOT_CMD_RESTART2:
		n = strncpy_from_user(command, arg, sizeof(command));
		if (n < 0 && n != -ENAMETOOLONG)
			return n;
		break;
	case REBOOT_CMD_RESTART:
	case REBOOT_CMD_HALT:
	case REBOOT_CMD_POWER_OFF:
		break;
	default:
		return -EINVAL;
	}
	mutex_lock(&reboot_lock);
	serial_settle();
	go_down(cmd);
}
