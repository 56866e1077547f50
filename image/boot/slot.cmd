# The boot script of a slot: its kernel and initrd lie right behind it. The boot partition's script has set boot_lba and
# boot_sectors (where this is), boot_part (the number of the slot's partition), devtype and devnum.

setexpr lba ${boot_lba} + ${boot_sectors}
${devtype} read @KERNEL_AT@ ${lba} @KERNEL_SECTORS@
setexpr lba ${lba} + @KERNEL_SECTORS@
${devtype} read @INITRD_AT@ ${lba} @INITRD_SECTORS@
setenv bootargs root=PARTUUID=@DISK_ID@-0${boot_part} rootfstype=squashfs ro rootwait panic=10 fsck.repair=yes net.ifnames=0 @KERNEL_CONSOLE@ quiet ${more_bootargs}
booti @KERNEL_AT@ @INITRD_AT@:@INITRD_BYTES@ ${fdt_addr}
