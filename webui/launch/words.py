"""What the launcher says to people, in English and Simplified Chinese. Standard library only.

The page's own sentences are in `webui/locales/` and `webui/ui/locales/`; these are needed before those can be read.
"""

from __future__ import annotations

import locale
import os
from typing import Literal

from webui.launch.launch_error import LaunchError

Language = Literal["en", "zh-CN"]

ERRORS: dict[str, tuple[str, str]] = {
    "port_in_use": (
        "Port {port} of {host} is already in use, perhaps by another Darkroom. "
        "Close it, or use another port: python launch.py --port {free}",
        "{host} 的端口 {port} 已被占用，可能已有另一个 Darkroom 在运行。"
        "请关闭它，或换一个端口：python launch.py --port {free}",
    ),
    "host_unknown": (
        "This machine has no address {host}. Leave out --host to serve this machine only, "
        "or use --host 0.0.0.0 to serve the local network.",
        "本机没有地址 {host}。省略 --host 则只在本机提供服务；要让局域网内的人访问，请使用 --host 0.0.0.0。",
    ),
    "port_forbidden": (
        "This account may not open port {port}. Use one above 1023: python launch.py --port {free}",
        "当前账户无权使用端口 {port}。请使用大于 1023 的端口：python launch.py --port {free}",
    ),
    "not_writable": (
        "Darkroom cannot write to the folder {folder}. Change its permissions, or move Darkroom elsewhere.",
        "文件夹 {folder} 不可写。请修改其权限，或把 Darkroom 移到其他位置。",
    ),
    "no_venv": (
        "This Python lacks its venv module. On Debian or Ubuntu: apt install python{version}-venv, then start again.",
        "此 Python 缺少 venv 模块。在 Debian 或 Ubuntu 上请运行：apt install python{version}-venv，然后重新启动。",
    ),
    "venv_failed": (
        "Could not create the environment .venv: {reason}",
        "无法创建环境 .venv：{reason}",
    ),
    "disk_full": (
        "The disk that holds {folder} is full. A first start needs about 3 GB, or 9 GB with CUDA.",
        "{folder} 所在的磁盘空间不足。首次启动约需 3 GB，使用 CUDA 时约需 9 GB。",
    ),
    "no_connection": (
        "The packages could not be downloaded: no connection to the package index. Only the first start needs one. "
        "Check the network or the proxy and start again; the installation continues where it stopped. Details: {log}",
        "无法下载所需的软件包：连接不上软件包索引。只有首次启动需要网络。请检查网络或代理后重新启动，安装会从中断处继续。详情见：{log}",
    ),
    "pip_failed": (
        "The packages could not be installed: {reason}. {log} has the full output of pip",
        "软件包安装失败：{reason}。pip 的全部输出见 {log}",
    ),
    "app": ("{message} {hint}", "{message}{hint}"),
    "flags": (
        "{reason}. All flags: python launch.py --help",
        "{reason}。查看所有参数：python launch.py --help",
    ),
}

LINES: dict[str, tuple[str, str]] = {
    "first_start": (
        "First start: creating .venv and downloading the packages. Later starts skip this.",
        "首次启动：正在创建 .venv 并下载软件包。以后启动将跳过此步骤。",
    ),
    "torch": ("PyTorch for this machine: {kind}", "适合本机的 PyTorch：{kind}"),
    "watch": ("Watch the progress at {address}", "可在此查看进度：{address}"),
    "ready": ("Everything is installed. Starting…", "安装完成，正在启动。"),
    "interrupted": (
        "Interrupted. The next start continues from here.",
        "已中断。下次启动时会从此处继续。",
    ),
    "preparing": ("Creating the environment", "正在创建环境"),
    "fetching": ("{file} · {percent} %", "{file} · {percent} %"),
    "unpacking": ("Unpacking · {percent} %", "正在解压 · {percent} %"),
    "speed": ("{speed} MB/s", "{speed} MB/s"),
    "left": ("about {minutes} min left", "约剩 {minutes} 分钟"),
    "left_seconds": ("about {seconds} s left", "约剩 {seconds} 秒"),
    "serving": ("Darkroom is at {address}", "Darkroom 已启动：{address}"),
    "login": ("Log in as {user} with the password {password}", "登录用户名 {user}，密码 {password}"),
    "login_of_guests": (
        "Guests log in as {user} with the password {password}; they cannot change models or settings",
        "访客的用户名 {user}，密码 {password}；访客不能更改模型和设置",
    ),
    "shared": ("Public link, for everybody with the login: {address}", "拥有登录信息的人可通过此链接访问：{address}"),
    "docs_changed": ("Tables rewritten: {page}", "已更新表格：{page}"),
    "docs_done": ("Pages changed: {count}", "改动的页面：{count}"),
    "reindex_begins": (
        "Rebuilding the database from the pictures in {folder}.",
        "正在根据 {folder} 中的图片重建数据库。",
    ),
    "reindex_looked": ("{count} files read", "已读取 {count} 个文件"),
    "reindex_found": (
        "Pictures found: {pictures}, owners: {owners}. Prompts, settings, seeds and scores are restored.",
        "找到图片 {pictures} 张，所属用户 {owners} 人；提示词、设置、种子和评分都已恢复。",
    ),
    "reindex_marks": (
        "Favourites: {starred}. Boards: {boards}.",
        "收藏：{starred}。画板：{boards}。",
    ),
    "reindex_lost": (
        "Not in the pictures, and therefore lost: the queue, failed and stopped jobs, and how long each job took.",
        "图片中没有、因此无法恢复的内容：队列、失败或已停止的任务，以及各任务的用时。",
    ),
    "reindex_foreign": (
        "Skipped {count} pictures that do not say how Darkroom made them.",
        "有 {count} 张图片不含 Darkroom 的生成信息，未作处理。",
    ),
    "reindex_unreadable": (
        "Skipped {count} files that cannot be read ({names}).",
        "有 {count} 个文件无法读取，未作处理（{names}）。",
    ),
    "reindex_ownerless": (
        "The owners of the pictures in these folders are unknown: {names}. Give their logins with --auth, or write the "
        "user's name into a file .owner in the folder, then run this again.",
        "无法得知这些文件夹的图片属于谁：{names}。请用 --auth 给出相应的登录名，"
        "或在文件夹中的 .owner 文件里写上用户名，然后重试。",
    ),
    "reindex_kept": ("The old database is kept as {file}.", "旧数据库保留为 {file}。"),
    "stop": ("Press Ctrl+C to stop.", "按 Ctrl+C 停止。"),
}


def console_language() -> Language:
    """The language of the person at the console."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh-CN" if value.lower().startswith("zh") else "en"
    found = locale.getlocale()[0] or ""
    return "zh-CN" if found.lower().startswith(("zh", "chinese")) else "en"


def line(name: str, language: Language, **values: str | int) -> str:
    """A short line from the launcher."""
    return LINES[name][language == "zh-CN"].format_map(values)


def sentence(error: LaunchError, language: Language) -> str:
    """What went wrong, and what to do about it."""
    return ERRORS[error.kind][language == "zh-CN"].format_map(error.details)
