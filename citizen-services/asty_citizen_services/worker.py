"""The composition root of the worker: settings to a running job queue."""

from procrastinate import App, Blueprint

from asty_citizen_services import casework, jobs
from asty_citizen_services.audit import tasks as audit
from asty_citizen_services.database import Database
from asty_citizen_services.handover import system
from asty_citizen_services.handover import tasks as handover
from asty_citizen_services.notices import carriers as carrying
from asty_citizen_services.notices import tasks as notices
from asty_citizen_services.privacy import tasks as privacy
from asty_citizen_services.procedures import catalogue as procedures
from asty_citizen_services.settings import Settings
from asty_citizen_services.workflow import tasks as workflow


def create_queue(settings: Settings, database: Database) -> App:
    """Wire the rooms' tasks, each under the name of its room. `database` stays the caller's to close."""
    catalogue = procedures.load_all(beside=settings.procedures)
    cases = casework.wire(settings, database, catalogue)
    carriers = carrying.chosen(settings.notices)
    blueprints: list[tuple[str, Blueprint]] = [
        ("audit", audit.tasks(database)),
        ("notices", notices.tasks(database, carriers.by_channel, settings.zone, settings.address, carriers.receipts)),
        ("privacy", privacy.tasks(database, catalogue)),
        ("workflow", workflow.tasks(database, cases.desk)),
    ]
    if settings.documents is not None:
        blueprints.append(("handover", handover.tasks(database, system.chosen(settings.documents))))
    return jobs.app(settings.dsn, blueprints)


async def work(settings: Settings) -> None:
    """Do jobs until SIGTERM; what has begun then is finished. A finished job is forgotten, a failed one is kept."""
    database = Database(settings.dsn, size=4)
    queue = create_queue(settings, database)
    try:
        async with queue.open_async():
            await queue.run_worker_async(concurrency=4, shutdown_graceful_timeout=20, delete_jobs="successful")
    finally:
        database.close()
