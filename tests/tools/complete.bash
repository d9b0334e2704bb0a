# Prints what bash offers for each line of standard input, by a completion script.
source "$1"
registered=$(complete -p seldon-tracing)
function=${registered##*-F }
function=${function%% *}
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "$line"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  word=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  "$function" seldon-tracing "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
  # Where the function offers nothing, `-o default` lets bash offer files.
  if [[ ${#COMPREPLY[@]} -eq 0 && $registered == *"-o default"* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
  printf '%s\n' "${COMPREPLY[*]}"
done
