# U-Boot runs this from the boot partition, on every board: it reads the slot sector, picks a slot, and hands over to the
# slot's own boot script. docs/image.md has the layout. Numbers are hexadecimal.

setenv sector_at @SCRATCH@
setexpr check_at ${sector_at} + 1000
setexpr swapped_at ${sector_at} + 1004
setexpr script_at ${sector_at} + 2000
setexpr sum_at ${sector_at} + 1fc
${devtype} dev ${devnum}

# The slot sector, or its copy if a power cut tore it: "MCOS", "SLOT", and the sum.
setenv sector none
for lba in 800 808; do
    if test "${sector}" = none; then
        ${devtype} read ${sector_at} ${lba} 1
        crc32 ${sector_at} 1fc ${check_at}
        setexpr tag_at ${sector_at} + 4
        # Boards differ in the byte order in which they store the sum, so either will do.
        for byte in 0 1 2 3; do
            setexpr from ${check_at} + ${byte}
            setexpr to ${swapped_at} + 3
            setexpr to ${to} - ${byte}
            cp.b ${from} ${to} 1
        done
        if cmp.l ${check_at} ${sum_at} 1 || cmp.l ${swapped_at} ${sum_at} 1; then
            if itest.l *${sector_at} == 534f434d; then
                if itest.l *${tag_at} == 544f4c53; then setenv sector ${lba}; fi
            fi
        fi
    fi
done

if test "${sector}" = none; then
    echo "The card does not say where mcos is. Please write the card anew; your backups are on its boot partition."
    sleep 30
    reset
fi

setexpr at ${sector_at} + c
setexpr.l slot *${at}
setexpr other 1 - ${slot}
setexpr at ${sector_at} + 10
setexpr.l tries *${at}
if itest ${tries} > 0; then
    # A new version is on trial. Each start costs it a try before it begins, so one that hangs uses them up.
    setexpr tries ${tries} - 1
    mw.l ${at} ${tries} 1
    crc32 ${sector_at} 1fc ${sum_at}
    ${devtype} write ${sector_at} 800 1
    ${devtype} write ${sector_at} 808 1
    setexpr other ${slot} + 0
    setexpr slot 1 - ${slot}
    echo "mcos: trying slot ${slot}, ${tries} tries left after this one"
fi

# A line "more_bootargs=..." in bootargs.txt is for those who know what the kernel understands.
if test -e ${devtype} ${devnum}:1 bootargs.txt; then
    load ${devtype} ${devnum}:1 ${script_at} bootargs.txt
    env import -t ${script_at} ${filesize} more_bootargs
fi

# If a slot cannot even be begun, the other is better than none.
for choice in ${slot} ${other}; do
    setexpr at ${choice} * 8
    setexpr at ${at} + ${sector_at}
    setexpr at ${at} + 14
    setexpr.l boot_lba *${at}
    setexpr at ${at} + 4
    setexpr.l boot_sectors *${at}
    if itest ${boot_lba} > 0; then
        setexpr boot_part ${choice} + 2
        ${devtype} read ${script_at} ${boot_lba} ${boot_sectors}
        source ${script_at}
        echo "mcos: slot ${choice} cannot be started"
    fi
done
sleep 5
reset
