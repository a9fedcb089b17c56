# Loaded behind helpers by the tests of capjail: what capstate says, as variables.
# shellcheck shell=bash disable=SC2034,SC2154 # used by the tests, and set by name

# state COMMAND...: reads what capstate, somewhere in COMMAND, prints into the variables inheritable ... nnp. Without a fork for each of them.
state() {
	local word
	line=$("$@") || {
		echo "status $? of: $*"
		return 1
	}
	for word in $line; do
		case $word in
		inheritable=* | permitted=* | effective=* | bounding=* | ambient=*) printf -v "${word%%=*}" '%d' "$((16#${word#*=}))" ;;
		*) printf -v "${word%%=*}" '%s' "${word#*=}" ;;
		esac
	done
}

# baseline COMMAND...: the same into base_inheritable ...
baseline() {
	local set
	state "$@"
	for set in inheritable permitted effective bounding ambient; do
		printf -v "base_$set" '%d' "${!set}"
	done
}

# assert_sets MASK [SET...]: the sets of COMMAND are those of the baseline, less what is not in MASK.
assert_sets() {
	local mask=$1 set base
	shift
	[ $# -gt 0 ] || set -- inheritable permitted effective bounding ambient
	for set; do
		base=base_$set
		[ "${!set}" = $((${!base} & mask)) ] || {
			printf '%s is %x and not %x & %x: %s\n' "$set" "${!set}" "${!base}" "$mask" "$line"
			return 1
		}
	done
}
