# Prints each line of standard input as zsh completes it, by a completion script, in a terminal.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -D"
zpty -w shell "seldon-tracing() { print -r -- GOT:\$*: }; source $1; compdef _seldon-tracing seldon-tracing; print REA''DY"
zpty -r -m shell text '*READY*'
while IFS= read -r line; do
  zpty -w -n shell "$line"$'\t'
  # The rest of what is typed must not come before the completion is done.
  sleep 0.3
  zpty -w -n shell $'\n'
  zpty -r -m shell text '*GOT:*:*'
  text=${text##*GOT:}
  print -r -- "${text%%:*}"
done
