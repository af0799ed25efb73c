"""The endpoints: one module and one `APIRouter` for each resource."""
