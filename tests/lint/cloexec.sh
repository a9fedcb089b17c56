#!/usr/bin/env bash
# Every fd is opened with the close-on-exec form of its call, and functions that are easy to misuse stay out of common/ and tools/.
set -euo pipefail
cd "$(dirname "$0")/../.."
shopt -s nullglob

# FILE:FUNCTION, for the places that may.
allowed='
	common/parse.c:strtoull
	common/chain.c:getenv
'

allowed=$allowed perl -0777 -e '
	my %allowed = map { $_ => 1 } split " ", $ENV{allowed};
	# What the arguments of each call have to contain.
	my %want = (
		(map { $_ => qr/O_CLOEXEC/ } qw(open openat open64 openat64 pipe2 dup3 mkostemp)),
		(map { $_ => qr/SOCK_CLOEXEC/ } qw(socket socketpair accept4)),
		(map { $_ => qr/MSG_CMSG_CLOEXEC/ } qw(recvmsg)),
		(map { $_ => qr/,\s*"[^"]*e[^"]*"\s*\)$/ } qw(fopen fopen64)),
		memfd_create => qr/MFD_CLOEXEC/, eventfd => qr/EFD_CLOEXEC/, epoll_create1 => qr/EPOLL_CLOEXEC/,
		timerfd_create => qr/TFD_CLOEXEC/, signalfd => qr/SFD_CLOEXEC/, inotify_init1 => qr/IN_CLOEXEC/,
		fanotify_init => qr/FAN_CLOEXEC/, userfaultfd => qr/O_CLOEXEC/, perf_event_open => qr/FD_CLOEXEC/,
		open_tree => qr/OPEN_TREE_CLOEXEC/, fsopen => qr/FSOPEN_CLOEXEC/, fsmount => qr/FSMOUNT_CLOEXEC/,
		fspick => qr/FSPICK_CLOEXEC/,
	);
	# No close-on-exec form, not strict, not bounded, or trusting the environment.
	my %never = map { $_ => 1 } qw(
		creat pipe dup dup2 accept epoll_create inotify_init mkstemp tmpfile
		atoi atol atoll atof strtol strtoul strtoll strtoull strtod strtoimax strtoumax sscanf fscanf scanf
		strcpy strcat sprintf vsprintf gets strtok system popen getenv secure_getenv tmpnam mktemp);
	my $failed = 0;

	for my $file (@ARGV) {
		open(my $in, "<", $file) or die "$file: $!\n";
		my $text = <$in>;
		# Comments and strings become blanks of the same length; the mode of fopen stays readable in $whole.
		$text =~ s{(/\*.*?\*/|//[^\n]*)}{(my $t = $1) =~ s/[^\n]/ /g; $t}gse;
		(my $code = $text) =~ s{("(?:\\.|[^"\\\n])*"|\x27(?:\\.|[^\x27\\\n])+\x27)}{" " x length $1}ge;

		while ($code =~ /(?<![\w.]|->)(\w+)\s*(\((?:[^()]++|(?2))*\))/g) {
			my ($name, $from, $length) = ($1, $-[2], $+[2] - $-[2]);
			# Arguments may hold calls of their own.
			pos($code) = $from + 1;
			my $arguments = substr($text, $from, $length);
			my $need = $want{$name};
			my $line = 1 + (substr($code, 0, $from) =~ tr/\n//);
			my $call = $name;

			if ($name eq "syscall" && $arguments =~ /^\(\s*(?:SYS|__NR)_(\w+)/) {
				$call = $1;
				$need = $want{$call};
			}
			if ($call eq "openat2") {
				# Its flags stand in a struct, which is to be filled in the lines before.
				$need = qr/\bflags\s*=[^;]*O_CLOEXEC/;
				$arguments = substr($text, 0, $from) =~ /((?:.*\n){0,15}.*)\z/ ? $1 : "";
			}
			if ($name eq "fcntl" && $arguments =~ /F_DUPFD\b/) {
				$need = qr/F_DUPFD_CLOEXEC/;
			}
			next if $allowed{"$file:$call"};
			if ($never{$call}) {
				print "$file:$line: $call() is not for this project\n";
				$failed = 1;
			} elsif ($need && $arguments !~ $need) {
				print "$file:$line: $call() without close-on-exec\n";
				$failed = 1;
			}
		}
	}
	exit $failed;
' common/*.[ch] tools/*.[ch]
echo 'lint: cloexec ok'
