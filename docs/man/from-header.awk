# Writes a manual page in mdoc(7) for each function of include/keepalive.h, from its comment there.
#
#   awk -v to=FOLDER -v date='November 21, 2026' -f docs/man/from-header.awk include/keepalive.h
#
# What it knows of the comments: paragraphs are separated by empty lines; the first sentence says
# what the function does; a line of the form "term  explanation", two spaces or more, is a list
# item, and goes on in the lines indented below it; the paragraph that begins with "Returns" starts
# RETURN VALUES, one that begins with "Example" is an example, whose indented lines are its code.

# Comments, kept until the declaration that they belong to.
/^ *\/\*\*/ { lines = 0; in_comment = 1; next }
in_comment && /\*\// { in_comment = 0; next }
in_comment { sub(/^ *\* ?/, ""); comment[++lines] = $0; next }

/^typedef struct/ { struct = $3; declaration[struct] = $0; next }
struct {
    declaration[struct] = declaration[struct] "\n" $0
    if (/^}/) { struct = ""; next }
    member = $NF
    sub(/(\[[0-9]+\])?;$/, "", member)
    member_name[struct, ++members[struct]] = member
    member_text[struct, members[struct]] = joined_comment()
    if (member == "state") has_state[struct] = 1
    next
}

/^#define KA_(DEFAULT|UNCHANGED) / { constant_name[++constants] = $2; constant_text[$2] = joined_comment() }

/^#define KA_STATE_/ { state_name[++states] = $2; state_text[states] = joined_comment() }

/^[a-z].*\(.*\);$/ { write_page($0) }

function joined_comment(    i, text) {
    for (i = 1; i <= lines; i++) text = text " " comment[i]
    return text
}

function write_page(prototype,    name, type, arguments, page, i, at, struct_name) {
    at = index(prototype, "(")
    name = substr(prototype, 1, at - 1)
    arguments = substr(prototype, at + 1)
    sub(/\);$/, "", arguments)
    match(name, /[a-z_]+$/)
    type = substr(name, 1, RSTART - 1)
    name = substr(name, RSTART)
    sub(/ $/, "", type)
    this = name
    page = to "/" name ".3"

    print ".\\\" Generated from include/keepalive.h by `make man`; do not edit." >page
    print ".Dd " date >page
    print ".Dt " toupper(name) " 3" >page
    print ".Os libkeepalive" >page
    print ".Sh NAME" >page
    print ".Nm " name >page
    print ".Nd " purpose() >page
    print ".Sh LIBRARY" >page
    print "libkeepalive (\\-lkeepalive)" >page
    print ".Sh SYNOPSIS" >page
    print ".In keepalive.h" >page
    print ".Ft " type >page
    gsub(/, /, "\" \"", arguments)
    print ".Fn " name " \"" arguments "\"" >page

    struct_name = ""
    if (match(prototype, /struct ka_[a-z_]+/)) {
        struct_name = substr(prototype, RSTART + 7, RLENGTH - 7)
        print ".Bd -literal" >page
        print declaration[struct_name] >page
        print ".Ed" >page
    }
    print ".Sh DESCRIPTION" >page
    delete seen
    delete named
    if (type == "int") seen["ka_strerror"] = 1
    if (arguments ~ /int fd/) seen["ka_get"] = 1
    printf "%s", description(struct_name) >page
    print ".Sh SEE ALSO" >page
    print see_also() >page
    close(page)
}

# The first sentence, as mdoc wants it: no capital, no full stop.
function purpose(    text, i) {
    for (i = 1; i <= lines && comment[i] != ""; i++) text = text " " comment[i]
    sub(/^ /, "", text)
    sub(/(, see .*|[.;:]( .*)?)$/, "", text)
    return tolower(substr(text, 1, 1)) substr(text, 2)
}

function description(struct_name,    text, i, line, list, term, gap, end) {
    text = ""
    pending = ""
    list = 0
    for (i = 1; i <= lines + 1; i++) {
        line = i <= lines ? comment[i] : ""
        if (line == "" || line ~ /^Example/) in_example = line != ""
        if (in_example && line ~ /^  /) {
            text = text flushed() (in_code ? "" : ".Bd -literal -offset indent\n") code(line) "\n"
            in_code = 1
            continue
        }
        if (in_code) { text = text ".Ed\n"; in_code = 0 }
        if (line ~ /^ *[^ ]+(, [^ ]+)*   *[^ ]/ && line !~ /^         / && line !~ /[a-z]\.  /) {
            text = text flushed()
            if (!list) text = text ".Bl -tag -width Ds\n"
            list = 1
            gap = match(substr(line, 3), /   */) + 2
            term = substr(line, 1, gap - 1)
            gsub(/^ +| +$/, "", term)
            text = text ".It " item(term) "\n"
            pending = substr(line, gap)
            continue
        }
        if (line != "" && (!list || line ~ /^   /)) { pending = pending " " line; continue }
        text = text flushed()
        if (list) { text = text ".El\n"; list = 0 }
        if (line != "") pending = line
        if (i > lines) break
        if (line == "") text = text heading_or_break(comment[i + 1], struct_name)
    }
    if (!headed) text = text members_of(struct_name) constants_named()
    headed = exemplified = 0
    gsub(/\n\.Pp\n\.Bl/, "\n.Bl", text)
    return text
}

function flushed(    text) {
    text = pending == "" ? "" : marked_up(pending)
    pending = ""
    return text
}

# What stands between two paragraphs: a new section, or a break.
function heading_or_break(following, struct_name) {
    if (following ~ /^Returns/) { headed = 1; return members_of(struct_name) constants_named() ".Sh RETURN VALUES\n" }
    if (following ~ /^Example/ && !exemplified) { exemplified = 1; return ".Sh EXAMPLES\n" }
    return ".Pp\n"
}

function members_of(struct_name,    text, i) {
    if (struct_name == "") return ""
    text = ".Pp\nThe members of\n.Vt " struct_name "\nare:\n.Bl -tag -width Ds\n"
    for (i = 1; i <= members[struct_name]; i++) {
        text = text ".It Va " member_name[struct_name, i] "\n" marked_up(member_text[struct_name, i])
    }
    text = text ".El\n"
    if (!has_state[struct_name]) return text
    text = text ".Pp\nThe states are:\n.Bl -tag -width Ds -compact\n"
    for (i = 1; i <= states; i++) text = text ".It Dv " state_name[i] "\n" marked_up(state_text[i])
    return text ".El\n"
}

# What the constants for values mean, where the page has named them.
function constants_named(    text, i, name) {
    for (i = 1; i <= constants; i++) {
        name = constant_name[i]
        if (name in named) text = text ".It Dv " name "\n" marked_up(constant_text[name])
    }
    return text == "" ? "" : ".Pp\nConstants for values:\n.Bl -tag -width Ds -compact\n" text ".El\n"
}

# A list's term: one parameter, or error numbers.
function item(term) {
    if (term !~ /^-?E/) return "Fa " term
    gsub(/-/, "\\-", term)
    gsub(/, /, " , Er ", term)
    return "Er " term
}

# A line of code, which mdoc prints as it is.
function code(line) {
    line = substr(line, 3)
    gsub(/\\/, "\\e", line)
    return (line ~ /^[.']/ ? "\\&" : "") line
}

# Running text in mdoc: names become macros, on lines of their own, and sentences begin lines.
function marked_up(text,    words, count, i, word, before, after, macro, line, out) {
    sub(/^ */, "", text)
    if (sub(/^Example[:,] /, "", text) && text !~ /^ka_/) text = toupper(substr(text, 1, 1)) substr(text, 2)
    count = split(text, words, " ")
    line = out = ""
    for (i = 1; i <= count; i++) {
        word = words[i]
        before = after = ""
        while (word ~ /^\(/) { before = before "( "; word = substr(word, 2) }
        while (word ~ /[.,;:)]$/ && word !~ /^[a-z_]+\([0-9]?\)$/ && word !~ /\.\.\.$/) {
            after = " " substr(word, length(word)) after
            word = substr(word, 1, length(word) - 1)
        }
        macro = macro_for(word)
        if (macro == "") {
            gsub(/-/, "\\-", words[i])
            if (words[i] ~ /[A-Za-z]\\-[a-z]/) gsub(/\\-/, "-", words[i])
            if (length(line) + length(words[i]) > 78) { out = out line "\n"; line = "" }
            if (line == "" && words[i] ~ /^[.']/) words[i] = "\\&" words[i]
            line = line (line == "" ? "" : " ") words[i]
            if (words[i] ~ /[.?!]\)?$/ && words[i] !~ /\.\.\.$/) { out = out line "\n"; line = "" }
            continue
        }
        if (line != "") { out = out line "\n"; line = "" }
        macro = "." (before == "" ? macro : substr(macro, 1, 2) " " before substr(macro, 4))
        out = out macro after "\n"
    }
    return out (line == "" ? "" : line "\n")
}

function macro_for(word) {
    if (word == this "()") return "Fn " this
    if (word ~ /^ka_[a-z_]+\(\)$/) { sub(/\(\)/, "", word); seen[word] = 1; return "Xr " word " 3" }
    if (word ~ /^[a-z]+\(\)$/) { sub(/\(\)/, "", word); return "Fn " word }
    if (word ~ /^[a-z]+\([1-9]\)$/) {
        seen[word] = 1
        return "Xr " substr(word, 1, length(word) - 3) " " substr(word, length(word) - 1, 1)
    }
    if (word ~ /^`.*`$/) return "Fa " substr(word, 2, length(word) - 2)
    if (word ~ /^-?E[A-Z][A-Z]+$/) { sub(/-/, "\\-", word); return "Er " word }
    if (word ~ /^(KA|TCP|SO|SOL|IPPROTO)_[A-Z_.0-9]+$/ || word == "NULL") { named[word]; return "Dv " word }
    return ""
}

# The pages that the text names, other manuals first by section, then the concepts.
function see_also(    name, text, section, names, count, i, j, swap) {
    count = 0
    for (name in seen) {
        if (name ~ /\)$/) { section = substr(name, length(name) - 1, 1); sub(/\(.\)$/, "", name) } else section = 3
        if (name != this) names[++count] = section " " name
    }
    names[++count] = "7 libkeepalive"
    names[++count] = "7 tcp"
    for (i = 1; i <= count; i++) for (j = i + 1; j <= count; j++) if (names[j] < names[i]) {
        swap = names[i]; names[i] = names[j]; names[j] = swap
    }
    for (i = 1; i <= count; i++) {
        text = text (i > 1 ? "\n" : "") ".Xr " substr(names[i], 3) " " substr(names[i], 1, 1) (i < count ? " ," : "")
    }
    return text
}
