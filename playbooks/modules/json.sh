# What modules share that answer with JSON, a beginning of perl programs (perl-base is part of every Debian and Ubuntu).
# text VALUE: a string or null. map_of REF: an object of values that are JSON already. value \TEXT: what the JSON says, from pos() on.
rh_json='
    use strict; use warnings;
    sub text { my $t = shift; return "null" unless defined $t;
        $t =~ s/([\\"])/\\$1/g; $t =~ s/([\x00-\x1f\x7f])/sprintf "\\u%04x", ord $1/ge; "\"$t\"" }
    sub map_of { my $m = shift; "{" . join(",", map { text($_) . ":" . $m->{$_} } sort keys %$m) . "}" }
    sub plain { my $t = shift; my %c = (n => "\n", t => "\t", r => "\r", b => "\b", f => "\f");
        $t =~ s/\\(?:u([0-9a-fA-F]{4})|(.))/defined $1 ? do { my $u = chr hex $1; utf8::encode($u); $u } : exists $c{$2} ? $c{$2} : $2/ge; $t }
    our %order; # of the keys of an object that value() has read
    sub value { my $s = shift; $$s =~ /\G[\s,:]*/gc;
        return plain($1) if $$s =~ /\G"((?:[^"\\]|\\.)*)"/gc;
        if ($$s =~ /\G\[/gc) { my @l; until ($$s =~ /\G[\s,]*\]/gc) { push @l, value($s) } return \@l }
        if ($$s =~ /\G\{/gc) { my %m; my @k; until ($$s =~ /\G[\s,]*\}/gc) { my $k = value($s); push @k, $k; $m{$k} = value($s) }
            $order{\%m} = \@k; return \%m }
        return undef if $$s =~ /\Gnull/gc;
        return $1 if $$s =~ /\G([-+.\w]+)/gc;
        die "bad JSON\n" }
'
