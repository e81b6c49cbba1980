const DENIED = `
  ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp perf_event_open unshare setns
  chroot pivot_root mount umount umount2 swapon swapoff quotactl acct open_tree move_mount fsopen fsconfig
  fsmount fspick mount_setattr name_to_handle_at open_by_handle_at fanotify_init fanotify_mark lookup_dcookie
  add_key request_key keyctl io_uring_setup io_uring_enter bpf userfaultfd syslog modify_ldt uselib vhangup
  sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime reboot iopl ioperm init_module
  finit_module delete_module kexec_load kexec_file_load mbind set_mempolicy migrate_pages move_pages
`
/** Of System V and POSIX: they outlive processes, and so a run. */
const LASTING = 'shmget semget msgget mq_open'

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]

/**
 * The rules of the system call filter (../bwrap/seccomp-tables.ts) for gVisor's kernel, in the form of the OCI specification. There they
 * protect no host, which that kernel does by itself, but what is in the sandbox from each other: nothing may outlive a run or look into
 * the program that serves them. Calls that gVisor does not know need no rule; clone3 is one.
 */
export const GUEST_FILTER = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: `${DENIED} ${LASTING}`.trim().split(/\s+/), action: 'SCMP_ACT_ERRNO' },
    ...NAMESPACE_FLAGS.map((flag) => ({
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
    })),
    // AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK: in an argument, "none of these three" has no form.
    ...[16, 17, 38, 40].map((family) => ({
      names: ['socket', 'socketpair'],
      action: 'SCMP_ACT_ERRNO',
      args: [{ index: 0, value: family, op: 'SCMP_CMP_EQ' }],
    })),
    // TIOCSTI and TIOCLINUX: typing into somebody's terminal.
    ...[0x5412, 0x541c].map((request) => ({
      names: ['ioctl'],
      action: 'SCMP_ACT_ERRNO',
      args: [{ index: 1, value: request, op: 'SCMP_CMP_EQ' }],
    })),
  ],
}
