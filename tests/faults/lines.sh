# The command lines of check.sh and kernels.sh. Sourced by both, which call `each_line FUNCTION`.
# shellcheck shell=bash disable=SC2154 # work is set by those

# FUNCTION NAME WHO FLAGS COMMAND... for each of them. WHO is root or user. FLAGS are of
#   m   makes files that stay (rootjail(1), nsnew(1)): they may also where COMMAND does not run
#   g   has groups of its own below which cgrun can make more
#   t   joins a process that holds namespaces (@target) or its pins (@pins)
# In COMMAND @dir is a directory of the line, with a root file system @root, files in @src and an empty @place; @payload is the payload outside of
# the root.
each_line() { # FUNCTION
	local line=$1
	local -a inside=(/bin/payload --root)

	"$line" nsnew-all root '' nsnew -pmuinCT --hostname box --domainname lab @payload
	"$line" nsnew-user root '' nsnew -Ur @payload
	"$line" nsnew-maps root '' nsnew -pm --map-users=0:100000:65536 --map-groups=0:100000:65536 --mount-proc @payload
	"$line" nsnew-nested root '' nsnew -r --no-nested-users @payload
	"$line" nsnew-init root '' nsnew -pm --init --new-session --mount-proc @payload
	"$line" nsnew-pin root m nsnew -uin --pin=@dir/made @payload
	"$line" nsnew-clock root m nsnew --boottime 100 --monotonic 50 --fork --ready-fd=1 --pid-file=@dir/pid @payload
	"$line" nsnew-caps user '' nsnew -cn --keep-caps --propagation=slave @payload
	"$line" nsnew-auto user '' nsnew -rp --map-auto @payload
	"$line" nsjoin-all root t nsjoin -t @target -a @payload
	"$line" nsjoin-pins root t nsjoin -t @pins -a @payload
	"$line" nsjoin-mixed root t nsjoin -t @target -u --net=@pins/net -r -w -e @payload
	"$line" nsjoin-ids root t nsjoin -t @target -i -S 1000 -G 1000 @payload
	"$line" nsjoin-user user t nsjoin -t @target -a @payload
	"$line" cgrun-limits root g cgrun -m 100M -p 50 --cpus 0.5 @payload
	"$line" cgrun-exec root g cgrun -p 50 --exec @payload
	"$line" cgrun-delegate root g cgrun -m 100M --delegate=54321 --device-allow /dev/null --device-allow /dev/zero --stats --json @payload
	"$line" capjail-docker root '' capjail --preset docker @payload
	"$line" capjail-drop user '' capjail --drop all @payload
	"$line" capjail-ids root '' capjail --keep chown,kill,setpcap --ambient kill -u 1000:2000 --groups 4,20 --umask 027 --parent-death @payload
	"$line" capjail-iab root '' capjail --iab '!%chown,^net_raw' --securebits noroot --no-user-namespaces @payload
	"$line" rootjail-mounts root '' rootjail --bind=@src:/data --bind=@src:/data/ro:ro --tmpfs=/tmp:size=1M,mode=1777 --mask=/etc/passwd --ro-path=/etc --dev=/dev/kmsg @root "${inside[@]}"
	"$line" rootjail-make root m rootjail --read-only --dir=/made/dir --file=@src/file:/made/file --symlink=file:/made/link --workdir=/made @root "${inside[@]}"
	"$line" rootjail-overlay root '' rootjail --overlay @root "${inside[@]}"
	"$line" rootjail-kept root m rootjail --overlay=@dir/kept --bind=@src:/new @root "${inside[@]}"
	"$line" rootjail-bare root '' rootjail --bare @root "${inside[@]}"
	"$line" rootjail-session root '' nsnew -pin rootjail --new-session --proc --sys --mqueue @root "${inside[@]}"
	"$line" nsmount-tmpfs root '' nsnew -m nsmount -t tmpfs -o size=1M,nosuid none @place @payload
	"$line" nsmount-bind root '' nsmount -o bind,ro @src @place @payload
	"$line" container root '' nsnew -pmuin --hostname box rootjail @root capjail --preset docker "${inside[@]}"
	"$line" limits root g cgrun -m 100M nsnew -pmuin rootjail @root capjail "${inside[@]}"
	"$line" pod root t nsjoin -t @target -niup rootjail @root capjail --drop sys_admin "${inside[@]}"
	"$line" pod-user user t nsjoin -t @target -Uniup rootjail @root "${inside[@]}"
	"$line" rootless user '' nsnew -Urpmuin rootjail --overlay @root capjail --drop all "${inside[@]}"
}

# Programs that do similar things.
each_peer() { # FUNCTION
	local line=$1

	"$line" setpriv root '' setpriv --no-new-privs --bounding-set -all @payload
	"$line" setpriv-ids root '' setpriv --reuid 1000 --regid 2000 --groups 4,20 --inh-caps -all --ambient-caps -all --bounding-set -all @payload
	"$line" unshare root '' unshare -m -u -i -n -p --fork --kill-child @payload
	"$line" unshare-user user '' unshare -Urm @payload
	"$line" bwrap root '' bwrap --bind @root / --dev /dev --proc /proc --unshare-all /bin/payload --root
	"$line" bwrap-user user '' bwrap --bind @root / --dev /dev --proc /proc --unshare-all /bin/payload --root
}
