# Writes the types of the API into the file that is named. TODO_API is the command of the service, if it is elsewhere.
set -eu
document=$(mktemp)
trap 'rm -f "$document"' EXIT
"${TODO_API:-../../.venv/bin/todo-api}" openapi > "$document"
openapi-typescript "$document" --output "$1"
