"""Problem documents (RFC 9457)."""

from pydantic import MISSING, BaseModel, Field

from todo_api.adapters.http.problems import FieldError


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:todo-api:problem:invalid-request"])
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["dueDate: is not a field of this request; did you mean due_date?"])
    code: str = Field(description="Stable: tell problems apart by it.", examples=["invalid-request"])
    errors: list[FieldError] | MISSING = Field(MISSING, description="For invalid input, one entry for each field.")
    index: int | MISSING = Field(MISSING, description="For a batch, the index of the failed operation, from 0.")
    imported: int | MISSING = Field(
        MISSING, description="For an import, the number of tasks that were created before the error."
    )
    skipped: int | MISSING = Field(MISSING, description="For an import, the number of tasks that existed already.")
    request_id: str | MISSING = Field(MISSING, description="The `X-Request-ID` of the response.")
