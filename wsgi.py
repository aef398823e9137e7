from app import create_app
from app.core.config import Config

app = create_app(Config.from_env())
