# Prints what fish offers for each line of standard input, by a completion script.
source $argv[1]
while read --local line
  complete -C "$line" | string replace --regex '\t.*' '' | string join ' '
end
