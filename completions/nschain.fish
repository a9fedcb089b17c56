# The code of the fish completion, for the tables in the files of the links.

# __nschain options LINK: whether the cursor is before the first operand of LINK
# __nschain trying LINK:  the same, and at an option --try-NAME
# __nschain command LINK: the operands of LINK, and the command behind them by its own completion
# __nschain value KINDS [then|maybe KINDS]...: values at the cursor; each "then" or "maybe" is a ':' in them
function __nschain -d 'complete the links of nschain'
    switch $argv[1]
        case options
            __nschain_words $argv[2] >/dev/null
        case trying
            string match -qr -- '^--t' (commandline -ct) (commandline -opc)[-1]
            and __nschain options $argv[2]
        case command
            __nschain_command $argv[2]
        case value
            __nschain_value $argv[2..]
    end
end

# The words from the first operand of LINK on. Succeeds as long as there may be options.
function __nschain_words # LINK
    set -l valued __nschain_valued_$argv[1]
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        if test $words[1] = --
            set -e words[1]
            printf '%s\n' $words
            return 1
        else if not string match -q -- '-?*' $words[1]
            printf '%s\n' $words
            return 1
        else if string match -q -- '--*' $words[1]
            contains -- $words[1] $$valued
            and set -e words[1]
        else
            # -pmC 2: the first letter that takes a value has the rest of the word or else the next one.
            set -l letters (string split '' -- $words[1])
            for at in (seq 2 (count $letters))
                contains -- -$letters[$at] $$valued
                or continue
                test $at -eq (count $letters)
                and set -e words[1]
                break
            end
        end
        set -e words[1]
    end
end

# The operands of LINK, and behind them a command line.
function __nschain_command # LINK
    set -l operands __nschain_operands_$argv[1]
    set -l kinds $$operands
    set -l words (__nschain_words $argv[1])
    and string match -q -- '-*' (commandline -ct)
    and return
    if set -l at (contains -i unless $kinds)
        string match -qr -- "^$kinds[-1](=|\$)" (commandline -opc)
        and set kinds
        set -e kinds[$at..]
    end
    for kind in $kinds
        if not set -q words[1]
            __nschain_value $kind
            return
        end
        set -e words[1]
    end
    set -l line (string join -- ' ' (string escape -- $words) (commandline -ct))
    complete --do-complete="$line"
end

# The value in WORD, without an option in the same word.
function __nschain_attached # WORD
    set -l words (commandline -opc)
    set -l valued __nschain_valued_(string replace -r '.*/' '' -- $words[1])
    if contains -- $words[-1] $$valued; or not string match -q -- '-*' $argv[1]
        printf '%s\n' $argv[1]
    else if string match -q -- '--*' $argv[1]
        string replace -r -- '^--[a-z-]+=' '' $argv[1]
    else
        for letter in (string split '' -- (string sub -s 2 -- $argv[1]))
            contains -- -$letter $$valued
            or continue
            string replace -r -- "^-[^$letter]*$letter" '' $argv[1]
            return
        end
    end
end

function __nschain_value # KINDS [then|maybe KINDS]...
    set -l value (__nschain_attached (commandline -ct))
    set -l head
    # A disk may be MAJOR:MINOR.
    if test $argv[1] = disk; and set -l number (string match -r '^[0-9]+:' -- $value)
        set head $number
        set value (string replace -r '^[0-9]+:' '' -- $value)
    end
    while set -q argv[2]; and string match -q '*:*' -- $value
        set head "$head"(string replace -r ':.*' : -- $value)
        set value (string replace -r '^[^:]*:' '' -- $value)
        set -e argv[1..2]
    end
    set head (string unescape -- "$head")
    set -l suffix
    test "$argv[2]" = then
    and set suffix :
    for kind in (string split + -- $argv[1])
        __nschain_kind $kind $value | while read -l -d \t word meaning
            string match -q '*/' -- $word
            and set -l ending
            or set -l ending $suffix
            printf '%s\t%s\n' "$head$word$ending" "$meaning"
        end
    end
end

# Words on standard input, each with its meaning behind a tab, as members of the list VALUE with commas, without those that it has.
function __nschain_members # VALUE
    set -l typed (string replace -r '[^,]*$' '' -- $argv[1])
    set -l members (string replace -r '=.*' = -- (string split , -- $typed))
    while read -l -d \t word meaning
        contains -- $word $members
        or printf '%s\t%s\n' "$typed$word" "$meaning"
    end
end

# All files, or with a '/' behind it all directories, that begin with VALUE.
function __nschain_files # VALUE
    complete --do-complete="__nschain_no_such_command $argv[1]"
end

# What the kernel has, says capjail.
function __nschain_capabilities # VALUE SIGNS
    set -l last (string split , -- $argv[1])[-1]
    set -l sign
    set -l names
    if test -n "$argv[2]"
        set sign (string match -r -- "^[$argv[2]]*" $last)
    else if string match -q '*,all,*' -- ,$argv[1]
        # What follows is left out of all.
        set sign -
    else
        set names all
    end
    set -l prefix (string match -ri '^[!^%-]*(cap_)' -- $last)[2]
    if command -q capjail
        set -a names (command capjail --explain-cap=all 2>/dev/null | string match -r '^cap_.* \(.*' |
            string replace -r -- '^cap_(\S+) \(\d+\): (.*?);?$' "$sign$prefix\$1\t\$2")
    end
    string match -q 'CAP_*' -- "$prefix"
    and set names (string upper -- $names)
    printf '%s\n' $names
end

# The directories of the own group in all hierarchies, or with "all" those of the groups that are seen as '/'.
function __nschain_groups # [all]
    string match -r '.* - cgroup.*' </proc/self/mountinfo | while read -l line
        set -l fields (string split ' ' -- $line)
        set -l root (string trim -rc / -- $fields[4])
        if test "$argv[1]" = all
            echo $fields[5]
            continue
        end
        set -l controllers (string split , -- $fields[-1])
        while read -l -d : number names dir
            if test -z "$names"
                string match -q '* - cgroup2 *' -- $line
                or continue
            else if not contains -- (string split , -- $names)[1] $controllers
                continue
            end
            echo $fields[5](string trim -rc / -- (string replace -- "$root" '' $dir))
        end </proc/self/cgroup
    end
end

function __nschain_cgroups # VALUE
    set -l which
    set -l joint /
    if string match -q '/*' -- $argv[1]
        set which all
        set joint ''
    end
    for group in (__nschain_groups $which)
        for dir in "$group$joint$argv[1]"*/
            string replace -r '/$' '' -- (string replace -- "$group$joint" '' $dir)
        end
    end | sort -u
end

# Files of the own group that --set may write.
function __nschain_settings
    for group in (__nschain_groups)
        for file in $group/*.*
            string replace -r '.*/(.*)' '$1=' -- $file
        end
    end | string match -rv '^cgroup\.(?!max)|\.(stat|events.*|current|peak|pressure)=$' | sort -u
end

# The numbers of a list such as 0-3,8 that a file has.
function __nschain_numbers # FILE
    test -r $argv[1]
    or return
    set -l list (cat $argv[1])
    echo $list
    for range in (string split , -- $list)
        set -l ends (string split - -- $range)
        set -q ends[2]
        and seq $ends[1] $ends[2]
    end
end

# The files of this shell that a command inherits.
function __nschain_fds
    for fd in (string match -r '\d+$' -- /proc/$fish_pid/fdinfo/*)
        # One that was the listing of this directory has gone.
        test -e /proc/$fish_pid/fdinfo/$fd
        and string match -qr '^flags:\s+([0-7]*[0145][0-7]{6}|[0-7]{1,6})$' </proc/$fish_pid/fdinfo/$fd
        and printf '%s\t%s\n' $fd (readlink /proc/$fish_pid/fd/$fd)
    end
end

function __nschain_pids
    # Those that have ended meanwhile are no errors.
    command grep -s . /proc/(string match -r '\d+$' -- /proc/*)/comm /dev/null | string replace -r '^/proc/(\d+)/comm:' '$1\t'
end

function __nschain_kind # KIND VALUE, which is as it was typed
    set -l value (string unescape -- "$argv[2]")
    set -l words (string split , -- (string replace -r '^[a-z-]*/' '' -- $argv[1]))
    switch $argv[1]
        case 'words/*'
            printf '%s\n' $words
        case 'list/*'
            printf '%s\n' $words | __nschain_members $value
        case file
            __nschain_files $argv[2]
        case directory
            __nschain_files $argv[2] | string match -r '.*/(?=\t|$).*'
        case device
            test -n "$value"
            and __nschain_files $argv[2]
            or __nschain_files /dev/
        case disk
            string replace /sys/block /dev /sys/block/*
        case device-rule
            __nschain_rules $argv[2]
        case user
            __fish_complete_users
        case group
            __fish_complete_groups
        case groups
            __fish_complete_groups | __nschain_members $value
        case uid
            string replace -rf '^([^:]*):[^:]*:(\d+).*' '$2\t$1' </etc/passwd
        case gid
            string replace -rf '^([^:]*):[^:]*:(\d+).*' '$2\t$1' </etc/group
        case capabilities
            __nschain_capabilities $value '' | __nschain_members $value
        case iab
            __nschain_capabilities $value '!^%' | __nschain_members $value
        case signal
            # The names that the links know: without those that are other names, or of one architecture.
            set -l prefix (string match -r '^SIG' -- $value)
            command kill -l | string match -ar '\b[A-Z][A-Z0-9]+\b' | string match -rv '^(SIG)?(RT|STKFLT|CLD|IOT|LOST|UNUSED)' |
                string replace -r '^(SIG)?(POLL$)?' "$prefix" | string replace -r '^(SIG)?$' '$1IO'
        case pid
            __nschain_pids
        case fd
            __nschain_fds
        case cgroup
            __nschain_cgroups $value
        case setting
            string match -q '*=*' -- $value
            or __nschain_settings
        case cpus
            __nschain_numbers /sys/devices/system/cpu/online | __nschain_members $value
        case nodes
            __nschain_numbers /sys/devices/system/node/online | __nschain_members $value
        case huge-page
            for size in (string match -r '\d+' -- /sys/kernel/mm/hugepages/*)
                test $size -ge 1048576
                and echo (math $size / 1048576)G
                or echo (math $size / 1024)M
            end
        case file-systems
            string replace -r '.*\t' '' </proc/filesystems | __nschain_members $value
        case size
            string match -qr '^[0-9]+(\.[0-9]*)?$' -- $value
            and printf '%s\n' $value{K,M,G,T,%}
            or printf '%s\n' max 100M 1G 50%
    end
end

# all, PATH[:ACCESS], or c|b:MAJOR:MINOR[:ACCESS]
function __nschain_rules # VALUE
    set -l typed (string match -r '^([bc]:[^:]*:[^:]*:|/[^:]*:)' -- $argv[1])[2]
    if test -n "$typed"
        printf '%s\n' (string unescape -- $typed){r,w,m,rw,rwm}
    else if string match -q '/*' -- $argv[1]
        __nschain_files $argv[1]
    else
        printf '%s\n' all b: c:
        __nschain_files /dev/
    end
end
