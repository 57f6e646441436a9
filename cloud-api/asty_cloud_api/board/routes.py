"""All addresses of the board."""

from fastapi import APIRouter

from asty_cloud_api.board import asset_tickets, closing, planroom, public, screen, talk, verify
from asty_cloud_api.board.desk import Desk


def routes(desk: Desk) -> APIRouter:
    """Return the router."""
    router = APIRouter()
    for room in (screen, planroom, closing, talk, verify, asset_tickets, public):
        router.include_router(room.routes(desk))
    return router
