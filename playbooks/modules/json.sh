# What modules share that answer with JSON, a beginning of perl programs (perl-base is part of every Debian and Ubuntu).
# text VALUE: a string or null. map_of REF: an object of values that are JSON already.
rh_json='
    use strict; use warnings;
    sub text { my $t = shift; return "null" unless defined $t;
        $t =~ s/([\\"])/\\$1/g; $t =~ s/([\x00-\x1f\x7f])/sprintf "\\u%04x", ord $1/ge; "\"$t\"" }
    sub map_of { my $m = shift; "{" . join(",", map { text($_) . ":" . $m->{$_} } sort keys %$m) . "}" }
'
