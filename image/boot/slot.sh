# The boot script of a slot where the starter picks it: its kernel and initrd lie right behind it. The starter has set disk, boot_lba and
# boot_sectors (where this is), boot_part (the number of the slot's partition), consoles and more_bootargs. Both are cut to their own length: the
# signature of a kernel does not hold with anything behind it. Where the starter's own kernel and initrd are the same, it may stay.
# No sums on the way (-i): they take long without caches, and those of an update were checked when it was written.
root=PARTUUID=@DISK_ID@-0$boot_part
stay_if @KERNEL_SUM@ "$root"
lba=$((boot_lba + boot_sectors))
dd if="$disk" bs=512 skip="$lba" count=@KERNEL_SECTORS@ 2>/dev/null | head -c @KERNEL_BYTES@ >/run/kernel
lba=$((lba + @KERNEL_SECTORS@))
dd if="$disk" bs=512 skip="$lba" count=@INITRD_SECTORS@ 2>/dev/null | head -c @INITRD_BYTES@ >/run/initrd
words="root=$root rootfstype=squashfs ro rootwait panic=10 fsck.repair=yes net.ifnames=0 $consoles quiet $more_bootargs"
kexec -a -i -l /run/kernel --initrd=/run/initrd --command-line="$words" && kexec -e
